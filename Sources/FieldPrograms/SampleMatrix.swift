/// Samples as rows: `[count][dimension]`, row-major.
public struct SampleMatrix: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  public var values: [Float]

  /// `values.count` must be `count · dimension`.
  public init(count: Int, dimension: Int, values: [Float]) {
    precondition(count >= 0 && dimension >= 1, "a SampleMatrix of \(count) × \(dimension)")
    precondition(
      values.count == count * dimension, "\(values.count) values for \(count) × \(dimension), need \(count * dimension)"
    )
    self.count = count
    self.dimension = dimension
    self.values = values
  }

  /// The values of one sample.
  public subscript(row: Int) -> ArraySlice<Float> {
    values[row * dimension..<(row + 1) * dimension]
  }

  /// The rows of these numbers, in this order.
  public func rows(_ numbers: some Collection<Int>) -> SampleMatrix {
    var picked: [Float] = []
    picked.reserveCapacity(numbers.count * dimension)
    for number in numbers { picked.append(contentsOf: self[number]) }
    return SampleMatrix(count: numbers.count, dimension: dimension, values: picked)
  }
}
