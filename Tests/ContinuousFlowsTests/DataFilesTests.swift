import ContinuousFlows
import FlowIO
import Foundation
import Testing

@Suite struct DataFilesTests {
  private func write(_ text: String, named name: String, in folder: TemporaryFolder) throws -> String {
    try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
    return folder.file(name)
  }

  @Test func readsCSVAndNumPy() throws {
    let folder = try TemporaryFolder()
    let csv = try write("x,y\n1,2\n3,4.5\n", named: "a.csv", in: folder)
    let dataset = try DatasetSource(csv).load()
    #expect(dataset.samples == SampleMatrix(count: 2, dimension: 2, values: [1, 2, 3, 4.5]))
    #expect(dataset.quantisation == nil && dataset.identifiers == [0, 1])
    try NumPyFile.write(NumPyArray(shape: [2, 2], floats: [1, 2, 3, 4.5]), to: folder.file("a.npy"))
    #expect(try DatasetSource(folder.file("a.npy")).load().samples == dataset.samples)
  }

  @Test func namesTheRowAndColumnOfNaN() throws {
    let folder = try TemporaryFolder()
    let path = try write("1,2\n3,nan\n", named: "a.csv", in: folder)
    #expect(throws: DataError.notFinite(source: path, row: 1, column: 1, value: "nan", line: 2)) {
      try DatasetSource(path).load()
    }
    // Text is counted by line, with the header and what is skipped.
    let far = try write("# now\nx,y\n\n1,2\n3,nan\n", named: "b.csv", in: folder)
    #expect(throws: DataError.notFinite(source: far, row: 1, column: 1, value: "nan", line: 5)) {
      try DatasetSource(far).load()
    }
    #expect("\(DataError.notFinite(source: "b.csv", row: 1, column: 1, value: "nan", line: 5))".contains("in line 5"))
    let large = try write("1,2\n3,4e38\n", named: "c.csv", in: folder)
    #expect(throws: DataError.notFinite(source: large, row: 1, column: 1, value: "4e+38", line: 2)) {
      try DatasetSource(large).load()
    }
    #expect("\(DataError.notFinite(source: "a.csv", row: 1, column: 1, value: "nan"))".contains("row 2, column 2"))
  }

  @Test func emptyArrays() throws {
    let folder = try TemporaryFolder()
    for shape in [[0, 3], [3, 0]] {
      try NumPyFile.write(NumPyArray(shape: shape, floats: []), to: folder.file("a.npy"))
      #expect(throws: DataError.empty(source: folder.file("a.npy"))) { try DatasetSource(folder.file("a.npy")).load() }
    }
  }

  @Test func namesAndPaths() throws {
    #expect(try DatasetSource("two-spirals") == .generated(.twoSpirals))
    #expect(try DatasetSource("digits") == .digits)
    #expect(try DatasetSource("digits.npy") == .file(path: "digits.npy"))
    #expect(throws: DataError.unknownName("pinwhel", known: DatasetSource.names)) { try DatasetSource("pinwhel") }
    for name in DatasetSource.names {
      let source = try DatasetSource(name)
      let dataset = try source.load(count: 10)
      #expect(dataset.name == name && dataset.dimension == source.dimension)
    }
  }
}
