import Yams

extension ConfigurationTree {
  private static let maximumDepth = 32

  /// - Parameters:
  ///   - name: what errors call the text.
  ///   - countsLines: whether places are `name:line` instead of `name` alone.
  static func parse(_ text: String, name: String, countsLines: Bool = true) throws -> Entry {
    let place = { (line: Int?) in line.map { countsLines ? "\(name):\($0)" : name } ?? name }
    if let alias = firstAlias(in: text) {
      throw ConfigurationError("\(place(alias.line)): aliases (\"*\(alias.name)\") are not supported")
    }
    do {
      guard let node = try Yams.compose(yaml: text) else { return Entry(value: .map([]), place: name) }
      return try entry(node, place, depth: 0)
    } catch let error as YamlError {
      let (line, problem) = error.lineAndProblem
      // The parser says how its bound could be set.
      guard !problem.hasPrefix("Maximum nesting level") else { throw ConfigurationError("\(place(line)): is nested too deeply") }
      throw ConfigurationError("\(place(line)): is not valid YAML: \(problem)")
    }
  }

  /// Reads a configuration: a mapping of keys to values, or nothing.
  static func parseMapping(_ text: String, name: String) throws -> Entry {
    let entry = try parse(text, name: name)
    if case .map = entry.value { return entry }
    guard entry.isNull else { throw ConfigurationError("\(entry.place): a configuration must be a mapping of keys to values") }
    return Entry(value: .map([]), place: entry.place)
  }

  /// A mapping's values stand where their keys do.
  private static func entry(_ node: Node, _ place: (Int?) -> String, at line: Int? = nil, depth: Int) throws -> Entry {
    let line = line ?? node.mark?.line
    guard depth < maximumDepth else { throw ConfigurationError("\(place(line)): is nested too deeply") }
    func check(_ tag: Tag, _ own: Tag.Name) throws {
      guard [Tag.Name.implicit, .nonSpecific, own].map(\.rawValue).contains(tag.description) else {
        throw ConfigurationError("\(place(line)): the tag \"\(tag.description)\" is not supported")
      }
    }
    switch node {
    case .scalar(let scalar):
      guard let value = CoreScalar(scalar) else {
        throw ConfigurationError("\(place(line)): \"\(scalar.string.prefix(40))\" is no \"\(scalar.tag.description)\" that is supported")
      }
      return Entry(value: .scalar(Scalar(text: scalar.string, value: value)), place: place(line))
    case .sequence(let sequence):
      try check(sequence.tag, .seq)
      return Entry(value: .list(try sequence.map { try entry($0, place, depth: depth + 1) }), place: place(line))
    case .mapping(let mapping):
      try check(mapping.tag, .map)
      var names: Set<String> = []
      let pairs = try mapping.map { key, value in
        let line = key.mark?.line
        guard let name = key.string else { throw ConfigurationError("\(place(line)): keys must be names") }
        guard names.insert(name).inserted else {
          throw ConfigurationError("\(place(line)): is not valid YAML: the key \"\(name)\" is there twice")
        }
        return (key: name, entry: try entry(value, place, at: line, depth: depth + 1))
      }
      return Entry(value: .map(pairs), place: place(line))
    case .alias: throw ConfigurationError("\(place(line)): aliases are not supported")
    }
  }

  /// The first `*name` where there is an `&name` too. A few of them in a chain stand for more nodes than any memory
  /// holds, so they are found before the text is composed.
  private static func firstAlias(in text: String) -> (name: String, line: Int)? {
    let anchors = Set(marks("&", in: text).map(\.name))
    guard !anchors.isEmpty, let suspect = marks("*", in: text).first(where: { anchors.contains($0.name) }) else { return nil }
    // In a comment or a text it is none. Without its anchors the text composes unless it has an alias.
    do { _ = try Yams.compose(yaml: text.replacing(#/&[A-Za-z0-9_-]+/#) { String(repeating: " ", count: $0.output.count) }) } catch {
      return suspect
    }
    return nil
  }

  private static func marks(_ sign: Character, in text: String) -> [(name: String, line: Int)] {
    var marks: [(name: String, line: Int)] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      for part in line.split(separator: sign, omittingEmptySubsequences: false).dropFirst() {
        let name = part.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        if !name.isEmpty { marks.append((String(name), index + 1)) }
      }
    }
    return marks
  }
}

extension YamlError {
  /// Where and what, without the text's excerpt.
  fileprivate var lineAndProblem: (line: Int?, problem: String) {
    switch self {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      (mark.line, context.map { "\(problem) \($0.text)" } ?? problem)
    case .duplicatedKeysInMapping(let keys, let context):
      (context.mark.line, "the key \(keys.map { "\"\($0)\"" }.joined(separator: ", ")) is there twice")
    case .reader(let problem, let offset, _, let yaml):
      (offset.map { yaml.prefix($0).reduce(1) { $0 + ($1.isNewline ? 1 : 0) } }, problem)
    default: (nil, String(describing: self).split(separator: "\n").joined(separator: " "))
    }
  }
}
