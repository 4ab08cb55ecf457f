import NeuralNetwork

/// How a framework's models pad a window of stride 2. On even extents the two differ by one pixel.
public enum WindowPadding: String, Hashable, Sendable, CaseIterable {
  /// Half the kernel on either side: torchvision, and Keras' models behind a layer of zeros.
  case symmetric
  /// TensorFlow's "same": no more than is needed, an odd one last.
  case same

  func padding(kernel: Int) -> Padding { self == .same ? .same : .symmetric(kernel / 2) }
}
