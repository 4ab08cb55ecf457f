import NeuralNetwork

/// The operations written down plainly, in double precision: NCHW in, NCHW out.
struct PlainTensor {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ value: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Double) {
    self.shape = shape
    values = []
    for n in 0..<shape[0] {
      for c in 0..<shape[1] { for y in 0..<shape[2] { for x in 0..<shape[3] { values.append(value(n, c, y, x)) } } }
    }
  }

  init(shape: [Int], values: some Sequence<Float>) {
    self.shape = shape
    self.values = values.map(Double.init)
  }

  subscript(n: Int, c: Int, y: Int, x: Int) -> Double { values[((n * shape[1] + c) * shape[2] + y) * shape[3] + x] }

  /// nil outside.
  func inside(_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Double? {
    (0..<shape[2]).contains(y) && (0..<shape[3]).contains(x) ? self[n, c, y, x] : nil
  }

  func map(_ f: (Double) -> Double) -> PlainTensor {
    var result = self
    result.values = values.map(f)
    return result
  }

  private func extent(_ length: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> Int {
    (length + 2 * padding - kernel) / stride + 1
  }

  /// With values around that make what TensorFlow pads for "same", after the formula of its documentation.
  func paddedToSame(kernel: Int, stride: Int, with value: Double) -> PlainTensor {
    func margins(_ extent: Int) -> (Int, Int) {
      let total = max(kernel - (extent % stride == 0 ? stride : extent % stride), 0)
      return (total / 2, total - total / 2)
    }
    let (vertical, horizontal) = (margins(shape[2]), margins(shape[3]))
    let extents = [shape[2] + vertical.0 + vertical.1, shape[3] + horizontal.0 + horizontal.1]
    return PlainTensor([shape[0], shape[1]] + extents) { n, c, y, x in
      inside(n, c, y - vertical.0, x - horizontal.0) ?? value
    }
  }

  func convolution(_ kernel: Tensor, bias: [Float]?, stride: Int, padding: Int) -> PlainTensor {
    let size = kernel.shape[2]
    let out = [shape[0], kernel.shape[0], extent(shape[2], size, stride, padding), extent(shape[3], size, stride, padding)]
    return PlainTensor(out) { n, o, y, x in
      var sum = bias.map { Double($0[o]) } ?? 0
      for c in 0..<shape[1] {
        for i in 0..<size {
          for j in 0..<size {
            let weight = kernel.values[((o * shape[1] + c) * size + i) * size + j]
            sum += Double(weight) * (inside(n, c, y * stride + i - padding, x * stride + j - padding) ?? 0)
          }
        }
      }
      return sum
    }
  }

  func maxPool(_ size: Int, stride: Int, padding: Int) -> PlainTensor {
    PlainTensor([shape[0], shape[1], extent(shape[2], size, stride, padding), extent(shape[3], size, stride, padding)]) {
      n, c, y, x in
      (0..<(size * size)).compactMap { inside(n, c, y * stride + $0 / size - padding, x * stride + $0 % size - padding) }
        .max() ?? 0
    }
  }

  /// Over each group of channels of each image, or with `groups` nil over each channel of the batch.
  func normalized(groups: Int?, gamma: [Float], beta: [Float], epsilon: Double = 1e-5) -> PlainTensor {
    func members(_ n: Int, _ c: Int) -> [Double] {
      let perGroup = groups.map { shape[1] / $0 } ?? 1
      let channels = (c / perGroup * perGroup)..<(c / perGroup * perGroup + perGroup)
      let images = groups == nil ? 0..<shape[0] : n..<(n + 1)
      return images.flatMap { n in
        channels.flatMap { c in (0..<shape[2]).flatMap { y in (0..<shape[3]).map { x in self[n, c, y, x] } } }
      }
    }
    var statistics: [Int: (mean: Double, variance: Double)] = [:]
    return PlainTensor(shape) { n, c, y, x in
      let key = n * shape[1] + c
      let s = statistics[key] ?? {
        let all = members(n, c)
        let mean = all.reduce(0, +) / Double(all.count)
        return (mean, all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count))
      }()
      statistics[key] = s
      return (self[n, c, y, x] - s.mean) / (s.variance + epsilon).squareRoot() * Double(gamma[c]) + Double(beta[c])
    }
  }

  func upsampled() -> PlainTensor {
    PlainTensor([shape[0], shape[1], 2 * shape[2], 2 * shape[3]]) { n, c, y, x in self[n, c, y / 2, x / 2] }
  }

  static func + (a: PlainTensor, b: PlainTensor) -> PlainTensor {
    var sum = a
    sum.values = zip(a.values, b.values).map(+)
    return sum
  }

  /// As an output lays values out: [images, locations, channels].
  var rows: [Double] {
    (0..<shape[0]).flatMap { n in
      (0..<shape[2]).flatMap { y in (0..<shape[3]).flatMap { x in (0..<shape[1]).map { c in self[n, c, y, x] } } }
    }
  }
}
