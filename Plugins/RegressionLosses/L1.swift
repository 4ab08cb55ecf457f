import DetectionCore

/// |x|, with derivative 0 at 0. The sum over foreground anchors and their four deltas is divided by the foreground
/// anchors.
public struct L1: RegressionLoss {
  public static let name = "l1"
  public static let summary = "absolute differences"
  public static let source = "mmdetection's and torchvision's default for RetinaNet"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  public func evaluate(
    _ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>
  ) -> RegressionLossValue {
    let sum = batch.sum(gradient: gradient) { x in (abs(x), x.isNaN || x == 0 ? x : x > 0 ? 1 : -1) }
    return RegressionLossValue(sum: sum, normalizer: Double(batch.foreground.count))
  }
}
