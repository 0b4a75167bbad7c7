import ContinuousFlows
import Testing

@Suite struct DataTransformTests {
  @Test func standardisingGivesMeanZeroAndVarianceOne() {
    let points = GeneratedDataset.moons.samples(count: 500)
    let transform = DataTransform.standardising(points)
    let values = transform.forward(points.values)
    for column in 0..<2 {
      let column = (0..<500).map { Double(values[2 * $0 + column]) }
      let mean = column.reduce(0, +) / 500
      // The bound covers rounding to Float of shift, scale and values.
      #expect(abs(mean) < 1e-6)
      #expect(abs(column.reduce(0) { $0 + $1 * $1 } / 500 - 1) < 1e-5)
    }
    for (there, back) in zip(points.values, transform.inverse(values)) { #expect(abs(there - back) < 1e-5) }
  }

  @Test func logDeterminantIsThatOfTheScales() {
    let transform = DataTransform(shift: [1, 2], scale: [0.5, 4])
    for value in transform.logDeterminants([0, 0, 5, 5]) { #expect(abs(value + 0.6931471805599453) < 1e-15) }
    #expect(DataTransform.identity(dimension: 3).logDeterminants([1, 2, 3]) == [0])
    #expect(transform.forward([2, 2, 1, 6]) == [2, 0, 0, 1])
  }

  @Test func constantColumnsKeepTheirScale() {
    let points = SampleMatrix(count: 3, dimension: 2, values: [0.1, 1, 0.1, 2, 0.1, 3])
    let transform = DataTransform.standardising(points)
    #expect(transform.scale[0] == 1)
    #expect(transform.forward(points.values).allSatisfy { $0.isFinite })
  }
}
