/// A horizontal line to compare with.
public struct ReferenceLine: Equatable, Sendable {
  /// Written beside the line, on the right of the frame.
  public var label: String
  public var value: Double

  public init(label: String, value: Double) {
    self.label = label
    self.value = value
  }
}
