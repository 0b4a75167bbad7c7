/// The picture formats of plots.
public enum PlotFormat: String, CaseIterable, Sendable {
  case png
  case svg
  case pdf

  /// The format that the extension of `path` names. Upper and lower case are the same.
  ///
  /// - Throws: `PlotError.unknownFormat` if there is no extension or it names no format.
  public init(path: String) throws(PlotError) {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, let format = PlotFormat(rawValue: parts[parts.count - 1].lowercased()) else {
      throw .unknownFormat(path: path)
    }
    self = format
  }

  /// ".png, .svg or .pdf", for error messages.
  static var extensionList: String {
    let names = allCases.map { ".\($0.rawValue)" }
    return names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
  }
}
