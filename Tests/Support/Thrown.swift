/// The error that `body` throws, for a look at it; fails where it throws none or one of another type. `#require(throws:)`
/// gives the error from Swift 6.1 on only.
public func thrown<E: Error, Result>(
  _ type: E.Type, file: String = #fileID, line: Int = #line, by body: () throws -> Result
) throws -> E {
  do {
    _ = try body()
  } catch let error as E {
    return error
  } catch {
    throw WrongOutcome(description: "\(file):\(line): \(error) was thrown, not \(type)")
  }
  throw WrongOutcome(description: "\(file):\(line): nothing was thrown, not \(type)")
}

private struct WrongOutcome: Error, CustomStringConvertible { let description: String }
