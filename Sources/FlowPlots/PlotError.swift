/// Why a plot could not be made. `description` is one sentence a user can act on.
public enum PlotError: Error, Equatable, Sendable {
  /// The path ends in none of the extensions that name a picture format.
  case unknownFormat(path: String)
  /// The file could not be written; `reason` is the operating system's.
  case cannotWrite(path: String, reason: String)
  /// cairo refused to draw; `reason` is its own text.
  case cannotDraw(reason: String)
}

extension PlotError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownFormat(let path):
      "Cannot tell the picture format of \"\(path)\": its name must end in \(PlotFormat.extensionList)."
    case .cannotWrite(let path, let reason):
      "Cannot write the plot \"\(path)\": \(reason)."
    case .cannotDraw(let reason):
      "Cannot draw the plot: \(reason)."
    }
  }
}
