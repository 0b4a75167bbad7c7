import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct DataTransformTests {
  @Test func standardisingGivesMeanZeroAndVarianceOne() {
    let points = GeneratedDataset.moons.samples(count: 500)
    let transform = DataTransform.standardising(points)
    let values = transform.forward(points.values)
    for column in 0..<2 {
      let column = (0..<500).map { Double(values[2 * $0 + column]) }
      let mean = column.reduce(0, +) / 500
      // The shift is the mean to 2⁻²¹ of the deviation; values are rounded to Float.
      #expect(abs(mean) < 0x1p-20)
      #expect(abs(column.reduce(0) { $0 + $1 * $1 } / 500 - 1) < 1e-6)
    }
    for (there, back) in zip(points.values, transform.inverse(values)) { #expect(abs(there - back) < 1e-6) }
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

  /// Dates as numbers: the spacing of floats near 2·10⁷ is 2.
  private static let dates = (0..<400).map { 20_180_130.0 + Double($0 % 2) }
  /// Unix time: the spacing of floats near 1.7·10⁹ is 128.
  private static let seconds = (0..<400).map { 1.7e9 + 0.5 * Double($0) - 100 }

  private static func column(_ values: [Double]) -> SampleMatrix {
    SampleMatrix(count: values.count, dimension: 1, values: values)
  }

  @Test func columnsFarFromZeroKeepTheirDigits() {
    let dates = DataTransform.standardising(Self.column(Self.dates))
    #expect(dates.shift == [20_180_130.5] && dates.scale == [0.5])
    #expect(dates.forward(Self.dates) == Self.dates.map { $0 == 20_180_130 ? -1 : 1 })
    #expect(dates.logDeterminants([20_180_130]) == [log(2)])

    let seconds = DataTransform.standardising(Self.column(Self.seconds))
    // Of n numbers, h apart: variance h² (n² − 1) / 12.
    let deviation = 0.5 * (159_999.0 / 12).squareRoot()
    #expect(abs(seconds.scale[0] - deviation) < 1e-12 * deviation)
    // The mean lies in the middle; the shift may differ from it by 2⁻²¹ of the deviation.
    #expect(abs(seconds.shift[0] - (1.7e9 - 0.25)) < 0x1p-20 * deviation)
    for (there, back) in zip(Self.seconds, seconds.inverse(seconds.forward(Self.seconds))) {
      // z has 24 bits, and |z| is below 2.
      #expect(abs(there - back) < 0x1p-23 * deviation)
    }
  }

  /// A column with 22 bits behind the point, moved by 2³⁰ without rounding, is the same column.
  @Test func movedColumnsAreTheSameBits() {
    let source = RandomSource(seed: 4, stream: .data)
    let near = (0..<3000).map { (source.normal(sample: $0, dimension: 0) * 0x1p22).rounded() * 0x1p-22 }
    let far = near.map { $0 + 0x1p30 }
    #expect(zip(near, far).allSatisfy { $1 - 0x1p30 == $0 })
    let here = DataTransform.standardising(Self.column(near))
    let there = DataTransform.standardising(Self.column(far))
    #expect(there.scale == here.scale && there.shift == [here.shift[0] + 0x1p30])
    #expect(there.forward(far).map(\.bitPattern) == here.forward(near).map(\.bitPattern))
    #expect(there.logDeterminants(far) == here.logDeterminants(near))
  }

  /// What a flow reports for a sample is what training sees of it.
  @Test func trainingSeesWhatDensitiesAreOf() throws {
    let data = Dataset(name: "seconds", samples: Self.column(Self.seconds))
    let flow = ContinuousFlow(dimension: 1, hidden: [4], seed: 1, transform: .standardising(data.samples))
    var batches = TrainingBatches(data, transform: flow.transform, size: 400, seed: 2)
    let batch = batches.batch(step: 0)
    #expect(batch.states == flow.transform.forward(data.samples.rows(batch.rows).values))
    var seen = flow
    seen.transform = .identity(dimension: 1)
    let inside = try seen.logDensities(of: SampleMatrix(StateMatrix(count: 400, dimension: 1, values: batch.states)))
    let outside = try flow.logDensities(of: data.samples.rows(batch.rows))
    for sample in 0..<400 {
      #expect(outside.values[sample] == inside.values[sample] + batch.logDeterminants[sample])
    }
  }

  @Test func columnsOfAnySizeAreStandardised() {
    for size in [1e-300, 5e-324, 1e-30, 1.0, 1e30, 1e150, 1e300] {
      let transform = DataTransform.standardising(Self.column([-size, 0, size, 0]))
      // The size itself is a subnormal number of one bit.
      let expected = size * 0.5.squareRoot()
      #expect(abs(transform.scale[0] - expected) <= max(1e-15 * expected, .leastNonzeroMagnitude), "\(size)")
      #expect(transform.forward([size, -size]).allSatisfy { $0.isFinite })
    }
  }

  // MARK: Files

  /// A flow whose transform needs all bits of a double.
  private static let flow: ContinuousFlow = {
    var flow = ContinuousFlow(
      dimension: 2, architecture: FieldArchitecture(hidden: [3], activation: .tanh, contextDimension: 1), seed: 1,
      contextKind: .columns(DataTransform(shift: [20_180_130.3], scale: [1 / 3])))
    flow.transform = DataTransform(shift: [1.7e9 + 0.1, 0.1], scale: [57.7, 1 / 3])
    return flow
  }()

  @Test func filesKeepDoubles() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("flow.safetensors")
    try Self.flow.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == Self.flow)
    var file = try SafetensorsFile(path: path)
    #expect(file.metadata["transform.dtype"] == "float64" && file.metadata["condition.dtype"] == "float64")
    file.metadata["transform.dtype"] = "float16"
    try file.write(to: path)
    #expect(throws: FlowFileError.self) { try ContinuousFlow(contentsOf: path) }
  }

  /// Older files hold floats, in the shortest text that a float reads back: 1.7e+09 stands for 1,700,000,000 and 0.1
  /// for the float nearest to it.
  @Test func olderFilesHoldFloats() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("flow.safetensors")
    try Self.flow.write(to: path)
    var file = try SafetensorsFile(path: path)
    let (shift, scale): ([Float], [Float]) = ([1.7e9 + 100, 0.1], [57.7, 1 / 3])
    for (key, numbers) in [
      ("transform.shift", shift), ("transform.scale", scale), ("condition.shift", [20_180_132]),
      ("condition.scale", [1 / 3]),
    ] { file.metadata[key] = numbers.map(\.description).joined(separator: ",") }
    file.metadata["transform.dtype"] = nil
    file.metadata["condition.dtype"] = nil
    try file.write(to: path)
    let read = try ContinuousFlow(contentsOf: path)
    #expect(read.transform == DataTransform(shift: shift.map { Double($0) }, scale: scale.map { Double($0) }))
    #expect(read.contextKind == .columns(DataTransform(shift: [20_180_132], scale: [Double(Float(1) / 3)])))
  }

  /// A run that began before samples were doubles recorded the checksum of floats.
  @Test func fingerprintsOfOlderRunsAreKnown() {
    let data = Dataset(name: "file", samples: SampleMatrix(count: 2, dimension: 2, values: [0.1, 0.2, 0.3, 4]))
    let fingerprint = DatasetFingerprint(of: data)
    let floats = SafetensorsTensor(name: "", shape: [4], floats: [0.1, 0.2, 0.3, 4])
    let digits = String(CRC32C.checksum(floats.bytes), radix: 16)
    let older = String(repeating: "0", count: 8 - digits.count) + digits
    #expect(fingerprint.matches("2 rows, 2 columns, crc32c \(older)") && fingerprint.matches(fingerprint.description))
    var changed = data.samples
    changed.values[0] = (0.1).nextUp
    let other = DatasetFingerprint(of: Dataset(name: "file", samples: changed))
    #expect(!other.matches(fingerprint.description) && fingerprint.description.contains("float64"))
  }
}
