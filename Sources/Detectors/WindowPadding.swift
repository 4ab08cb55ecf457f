import NeuralNetwork

/// How a framework's models pad a window of stride 2. On even extents the two differ by one pixel.
public enum WindowPadding: String, Hashable, Sendable, CaseIterable {
  /// Half the kernel on either side: torchvision, and Keras' models behind a layer of zeros.
  case symmetric
  /// TensorFlow's "same": no more than is needed, an odd one last.
  case same
  /// TensorFlow's "valid": the window stays inside. Of pooling alone, as the first Keras' ResNet-50 has it.
  case none

  func padding(kernel: Int) -> Padding {
    switch self {
    case .symmetric: .symmetric(kernel / 2)
    case .same: .same
    case .none: .symmetric(0)
    }
  }
}
