import Foundation

/// One element of the loss with a target between 0 and 1, in double precision: there are few of them.
struct SoftTerm {
  /// p - t.
  let difference: Double
  /// p·(1 - p).
  let spread: Double
  /// -t·log(p) - (1 - t)·log(1 - p).
  let loss: Double

  init(logit: Float, target: Float) {
    let (x, t) = (Double(logit), Double(target))
    let e = exp(-abs(x))
    let p = x >= 0 ? 1 / (1 + e) : e / (1 + e)
    // softplus(x) - t·x, arranged so that nothing cancels: t·softplus(-x) + (1 - t)·softplus(x).
    let tail = log1p(e)
    loss = t * (max(-x, 0) + tail) + (1 - t) * (max(x, 0) + tail)
    difference = t == 1 ? -(x >= 0 ? e / (1 + e) : 1 / (1 + e)) : p - t
    spread = e / ((1 + e) * (1 + e))
  }

  var error: Double { abs(difference) }
  /// d error / d logit.
  var errorSlope: Double { difference < 0 ? -spread : spread }

  /// - Parameter weight: in place of the law's, taken as a number.
  /// - Returns: weight · loss and its derivative by the logit.
  func weighted(by law: WeightingLaw, weight: Float?) -> (loss: Double, slope: Double) {
    if let weight { return constant(Double(weight)) }
    switch law {
    case .constant, .custom: return constant(1)
    case .bins(let weights): return constant(Double(weights[min(Int(error * Double(weights.count)), weights.count - 1)]))
    case .focal(let gamma, let alpha, _):
      let (gamma, alpha) = (Double(gamma), Double(alpha))
      let power = pow(error, gamma)
      // Where p = t, |p - t|^gamma has slope 0 (gamma > 1) or none (which is taken as 0).
      let slope = gamma == 0 || error == 0 ? 0 : gamma * pow(error, gamma - 1) * errorSlope
      return (alpha * power * loss, alpha * (power * difference + slope * loss))
    }
  }

  private func constant(_ weight: Double) -> (loss: Double, slope: Double) { (weight * loss, weight * difference) }
}
