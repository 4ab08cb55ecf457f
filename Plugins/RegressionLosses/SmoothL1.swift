import DetectionCore

/// 0.5·x²/beta where |x| < beta, else |x| - beta/2 (Girshick, "Fast R-CNN", 2015, equation 3, with beta as in Detectron).
///
/// The sum over foreground anchors and their four deltas is divided by the foreground anchors.
public struct SmoothL1: RegressionLoss {
  public static let name = "smooth-l1"
  public static let summary = "quadratic near 0, linear beyond"
  public static let source = "Girshick 2015, arXiv 1504.08083, equation 3; beta 0.11 in maskrcnn-benchmark's RetinaNet"
  public static let parameters = [
    ParameterDescription("beta", default: "0.11", "where it turns linear, in encoded deltas, 1e-6...100")
  ]

  public let beta: Float

  public init(beta: Float = 0.11) { self.beta = beta }

  public init(parameters: inout ParameterReader) throws {
    beta = try parameters.float("beta", default: 0.11, in: 1e-6...100)
  }

  public func evaluate(
    _ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>
  ) -> RegressionLossValue {
    let sum = batch.sum(gradient: gradient) { x in
      let size = abs(x)
      return size < beta ? (0.5 * x * x / beta, x / beta) : (size - 0.5 * beta, x.isNaN ? x : x > 0 ? 1 : -1)
    }
    return RegressionLossValue(sum: sum, normalizer: Double(batch.foreground.count))
  }
}
