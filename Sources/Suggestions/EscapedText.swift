extension String {
  /// What moves the cursor, breaks a line or turns the direction of writing, escaped, and what fills the screen cut out of the
  /// middle, so that a file's text can do none of it in a message.
  package var escapedForDisplay: String {
    guard utf8.count > 2000 else { return escaped }
    return "\(String(unicodeScalars.prefix(1000))) ... \(String(unicodeScalars.suffix(500)))".escaped
  }

  private var escaped: String {
    guard unicodeScalars.contains(where: \.steersDisplay) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      text += scalar.steersDisplay ? scalar.escaped(asASCII: true) : String(scalar)
    }
  }
}

extension Unicode.Scalar {
  fileprivate var steersDisplay: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: properties.isBidiControl
    }
  }
}
