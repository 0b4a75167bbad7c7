extension FlowIOError: CustomStringConvertible {
  /// One sentence that names the file, what is wrong with it, and how to fix it.
  public var description: String {
    switch self {
    case .missingFile(let path):
      return path.unicodeScalars.contains("\u{FFFD}")
        ? "no such file: \(path); its name is not text in UTF-8, so rename the file"
        : "no such file: \(path); check the spelling of the path"
    case .system(let path, let operation, let reason):
      return "cannot \(operation) \(path): \(reason)"
    case .malformed(let path, let problem, let fix), .unsupported(let path, let problem, let fix):
      return "\(path): \(problem); \(fix)"
    case .missingTensor(let path, let name, let available):
      return "\(path): the file has no tensor '\(name)'; its tensors are: \(Self.listed(available))"
    case .wrongElementType(let path, let name, let found, let wanted):
      return "\(path): \(name) has elements of type \(found), which cannot be read as \(wanted); "
        + "convert them and save the file again"
    case .raggedRow(let path, let line, let found, let expected):
      return "\(path): line \(line) has \(found) \(found == 1 ? "column" : "columns"), but the lines before it have "
        + "\(expected); give every line the same number of columns"
    case .notANumber(let path, let line, let column, let text, let isFirstLine):
      let problem = text.isEmpty ? "is empty" : "is not a number: '\(text)'"
      return "\(path): line \(line), column \(column) \(problem); "
        + Self.fix(ofCell: text, isFirstLine: isFirstLine)
    case .emptyLineEnd(let path, let line, let column, let separator):
      return
        "\(path): line \(line), column \(column) is empty, and nothing follows; if the lines end in '\(separator)', "
        + "remove that from every line, otherwise write a number in every cell"
    case .unknownExtension(let path, let accepted):
      let extensions = accepted.joined(separator: ", ")
      return "\(path): the file name extension must tell the format; rename the file to end in one of \(extensions)"
    }
  }

  private static let missingWords: Set<String> = [
    "na", "n/a", "#n/a", "<na>", "null", "none", "nil", "?", "-", "--", "missing",
  ]

  /// What to do about a cell that is not a number.
  private static func fix(ofCell text: String, isFirstLine: Bool) -> String {
    let digits = text.filter { !"0123456789+-eE".contains($0) }
    if digits.contains(","), digits.allSatisfy({ ",. ".contains($0) }) {
      return "write a decimal point instead of the comma, and no separators between thousands"
    }
    if digits == " " {
      return "lines are split at commas; if these are decimal commas, write decimal points instead"
    }
    if missingWords.contains(text.lowercased()) {
      return "the value is missing, so remove the line or fill in a number"
    }
    guard isFirstLine else { return "write a number in every cell below the header" }
    return "write a number there, or read this line as names of the columns with --header present"
  }

  /// The first twenty names and the number of the others, because a checkpoint may have hundreds of tensors.
  private static func listed(_ names: [String]) -> String {
    guard !names.isEmpty else { return "none" }
    let shown = names.prefix(20).joined(separator: ", ")
    return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
  }
}
