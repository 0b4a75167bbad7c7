/// The reason why a plot could not be drawn or written. `description` is one sentence for the user.
public enum PlotError: Error, Equatable, Sendable {
  /// The extension of the path is not that of a picture format.
  case unknownFormat(path: String)
  /// The file could not be written; `reason` is the operating system's text.
  case cannotWrite(path: String, reason: String)
  /// The plot could not be drawn; `reason` is cairo's text, or names the size that is not allowed.
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
