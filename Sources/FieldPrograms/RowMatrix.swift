/// Samples of the data in their own units. They are doubles: a float has 24 bits, and dates, times and counters need
/// more.
public typealias SampleMatrix = RowMatrix<Double>

/// States of a model, as its solves read them: data after the model's transform, or samples of its base.
public typealias StateMatrix = RowMatrix<Float>

/// A matrix with one sample per row: `[count][dimension]`, row-major.
public struct RowMatrix<Scalar: BinaryFloatingPoint & Sendable>: Sendable, Equatable {
  public let count: Int
  public let dimension: Int
  public var values: [Scalar]

  /// - Precondition: `values.count` is `count · dimension`.
  public init(count: Int, dimension: Int, values: [Scalar]) {
    precondition(
      count >= 0 && dimension >= 1,
      "a matrix has count \(count) and dimension \(dimension), must be at least 0 and at least 1")
    precondition(
      values.count == count * dimension,
      "\(values.count) values do not make \(count) samples of dimension \(dimension)")
    self.count = count
    self.dimension = dimension
    self.values = values
  }

  /// The values of one sample.
  public subscript(row: Int) -> ArraySlice<Scalar> {
    values[row * dimension..<(row + 1) * dimension]
  }

  /// The rows with these indices, in this order.
  public func rows(_ numbers: some Collection<Int>) -> RowMatrix {
    var picked: [Scalar] = []
    picked.reserveCapacity(numbers.count * dimension)
    for number in numbers { picked.append(contentsOf: self[number]) }
    return RowMatrix(count: numbers.count, dimension: dimension, values: picked)
  }
}

extension RowMatrix<Double> {
  /// The same numbers, which all doubles hold exactly.
  public init(_ states: RowMatrix<Float>) {
    self.init(count: states.count, dimension: states.dimension, values: states.values.map { Double($0) })
  }
}
