import FlowIO
import Testing

@Suite struct MatrixFileTests {
  @Test func arrays() throws {
    let matrix = try MatrixFile.read(Golden.path("f8_big_fortran.npy"))
    #expect(matrix == (2, 3, Golden.values.map { Float($0) }))
    let vector = try MatrixFile.read(Golden.path("b1.npy"))
    #expect(vector == (3, 1, [1, 0, 1]))
    let cube = try MatrixFile.read(Golden.path("cube_fortran.npy"))
    #expect(cube == (2, 12, (0..<24).map { Float($0) }))
    #expect(try MatrixFile.read(Golden.path("empty.npy")) == (0, 3, []))
    #expect(throws: FlowIOError.self) { try MatrixFile.read(Golden.path("scalar.npy")) }
  }

  @Test(arguments: ["a.csv", "a.txt", "a.tsv", "A.CSV"])
  func tables(_ name: String) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file(name, holding: "x\ty\n1\t2.5\n3\t4\n")
    #expect(try MatrixFile.read(path) == (2, 2, [1, 2.5, 3, 4]))
  }

  @Test(arguments: ["a.parquet", "a", "dir.csv/a"])
  func unknownExtensions(_ path: String) {
    let found = error { () throws(FlowIOError) in _ = try MatrixFile.read(path) }
    #expect(
      found?.description == "\(path): the file name extension must tell the format; "
        + "rename the file to end in one of .npy, .csv, .txt, .tsv")
  }

  @Test func missingFiles() {
    for path in ["/nowhere/a.npy", "/nowhere/a.csv"] {
      let found = error { () throws(FlowIOError) in _ = try MatrixFile.read(path) }
      #expect(found?.description == "no such file: \(path); check the spelling of the path")
    }
  }
}
