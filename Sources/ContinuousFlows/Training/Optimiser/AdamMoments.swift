/// Adam's moving averages of the gradients so far.
public struct AdamMoments: Sendable, Equatable {
  /// Moving mean of the gradient, `[P]`.
  public var first: [Float]
  /// Moving mean of its squares, `[P]`.
  public var second: [Float]

  public init(parameterCount: Int) {
    first = Array(repeating: 0, count: parameterCount)
    second = first
  }
}
