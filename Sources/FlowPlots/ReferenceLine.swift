/// A horizontal line at a value to compare with.
public struct ReferenceLine: Equatable, Sendable {
  /// The text at the right end of the line, outside the frame.
  public var label: String
  public var value: Double

  public init(label: String, value: Double) {
    self.label = label
    self.value = value
  }
}
