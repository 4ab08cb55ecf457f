import Suggestions

extension DetectorPlan {
  /// Whether parameters are this model's, all of it and nothing else: names alone do not tell a plain ResNet from its
  /// relatives.
  /// - Parameters:
  ///   - shapes: the network's shape of each parameter found, by its name in `naming`.
  ///   - model: what the parameters are taken for, in the error.
  /// - Throws: `ConventionError` saying what differs, and what that makes of the model where it is known.
  func check(_ shapes: [String: [Int]], _ naming: any ParameterNaming, model: String) throws {
    var missing: [String] = []
    var known = Set<String>()
    for layer in layers {
      for parameter in ModelParameter.possible(in: layer) {
        guard let name = naming.name(of: parameter, in: layer, of: self) else { continue }
        known.insert(name)
        let expected = shape(of: parameter, in: layer)
        switch (expected, shapes[name]) {
        case (nil, nil): break
        case (nil, _?): known.remove(name)
        case (_?, nil): missing.append(name)
        case (let expected?, let found?):
          guard expected != found else { continue }
          let relative = relative(shapes, naming).map { ": \($0), which this package does not compute" } ?? ""
          throw ConventionError(
            "no plain \(model): \(name.escapedForDisplay) has the shape \(found) where \(model) of \(width) channels has \(expected)\(relative)")
        }
      }
    }
    let extra = shapes.keys.filter { !known.contains($0) && naming.isInside($0, of: self) }.sorted()
    if missing.isEmpty && extra.isEmpty { return }
    var complaints: [String] = []
    if !missing.isEmpty { complaints.append("it lacks \(Self.list(missing))") }
    if !extra.isEmpty { complaints.append("it has \(Self.list(extra)), which this package does not compute") }
    throw ConventionError("no plain \(model): \(complaints.joined(separator: "; "))")
  }

  /// What blocks of other sizes make of a residual network, in words.
  private func relative(_ shapes: [String: [Int]], _ naming: any ParameterNaming) -> String? {
    func kernel(_ index: Int) -> [Int]? {
      naming.name(of: .kernel, in: .blockConvolution(stage: 1, block: 1, index: index), of: self)
        .flatMap { shapes[$0] }.flatMap { $0.count == 4 && $0.allSatisfy { $0 > 0 } ? $0 : nil }
    }
    guard usesBottlenecks, width > 0, let first = kernel(1), let second = kernel(2) else { return nil }
    var words: [String] = []
    if second[1] < second[0], second[0] % second[1] == 0 {
      words.append("its convolutions are grouped (\(second[0] / second[1]) groups), as ResNeXt's")
    }
    if first[0] != width { words.append("its blocks are \(Self.ratio(first[0], width)) times as wide") }
    return words.isEmpty ? nil : words.joined(separator: ", and ")
  }

  private static func ratio(_ a: Int, _ b: Int) -> String {
    let ratio = Double(a) / Double(b)
    return ratio == ratio.rounded() ? "\(Int(ratio))" : "\((ratio * 100).rounded() / 100)"
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "\"\($0.escapedForDisplay)\"" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}
