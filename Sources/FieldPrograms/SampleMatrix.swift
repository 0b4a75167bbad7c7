/// A matrix with one sample per row: `[count][dimension]`, row-major.
public struct SampleMatrix: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  public var values: [Float]

  /// - Precondition: `values.count` is `count · dimension`.
  public init(count: Int, dimension: Int, values: [Float]) {
    precondition(
      count >= 0 && dimension >= 1,
      "a SampleMatrix has count \(count) and dimension \(dimension), must be at least 0 and at least 1")
    precondition(
      values.count == count * dimension,
      "\(values.count) values do not make \(count) samples of dimension \(dimension)")
    self.count = count
    self.dimension = dimension
    self.values = values
  }

  /// The values of one sample.
  public subscript(row: Int) -> ArraySlice<Float> {
    values[row * dimension..<(row + 1) * dimension]
  }

  /// The rows with these indices, in this order.
  public func rows(_ numbers: some Collection<Int>) -> SampleMatrix {
    var picked: [Float] = []
    picked.reserveCapacity(numbers.count * dimension)
    for number in numbers { picked.append(contentsOf: self[number]) }
    return SampleMatrix(count: numbers.count, dimension: dimension, values: picked)
  }
}
