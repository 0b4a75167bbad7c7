extension FlowIOError: CustomStringConvertible {
  /// One sentence: the file, what is wrong, and the mend.
  public var description: String {
    switch self {
    case .missingFile(let path):
      return "no such file: \(path); check the path for a misspelling"
    case .system(let path, let operation, let reason):
      return "cannot \(operation) \(path): \(reason)"
    case .malformed(let path, let problem, let mend), .unsupported(let path, let problem, let mend):
      return "\(path): \(problem); \(mend)"
    case .missingTensor(let path, let name, let available):
      return "\(path): there is no tensor '\(name)'; the file holds \(Self.listed(available))"
    case .wrongElementType(let path, let name, let found, let wanted):
      return "\(path): \(name) holds \(found) elements, which cannot be read as \(wanted); convert it and save it again"
    case .raggedRow(let path, let line, let found, let expected):
      return "\(path): line \(line) has \(found) \(found == 1 ? "column" : "columns") where \(expected) "
        + "\(expected == 1 ? "is" : "are") expected; give every line the same number of columns"
    case .notANumber(let path, let line, let column, let text):
      let problem = text.isEmpty ? "is empty" : "is not a number: '\(text)'"
      return "\(path): line \(line), column \(column) \(problem); every cell below the header has to be a number"
    case .unknownExtension(let path, let accepted):
      let extensions = accepted.joined(separator: ", ")
      return "\(path): the extension does not tell the format; name the file with one of \(extensions)"
    }
  }

  /// At most twenty names: a checkpoint may hold hundreds.
  private static func listed(_ names: [String]) -> String {
    guard !names.isEmpty else { return "none" }
    let shown = names.prefix(20).joined(separator: ", ")
    return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
  }
}
