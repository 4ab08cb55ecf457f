/// Numbers that a program computes with. Parameters and their gradients, inputs and outputs are always 32-bit floats.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  case fp32
  /// bfloat16 (8 bits of exponent, 7 of mantissa) for kernels and activations where that is faster, sums in fp32.
  case bf16

  /// Whether this machine has instructions for it.
  public var isSupported: Bool {
    switch self {
    case .fp32: true
    case .bf16: OneDNN.hasBF16
    }
  }

  /// What a user should know who asks for it on this machine; nil where there is nothing to say.
  public var note: String? { isSupported ? nil : "this machine has no \(rawValue) instructions: computing in fp32" }

  /// This one, or fp32 where the machine lacks it.
  public var supported: Precision { isSupported ? self : .fp32 }
}
