import FlowIO
import Testing

@Suite struct MatrixFileTests {
  @Test func arrays() throws {
    let matrix = try MatrixFile.read(Golden.path("f8_big_fortran.npy"))
    #expect(matrix.count == 2 && matrix.dimension == 3 && matrix.values == Golden.values.map { Double($0) })
    let vector = try MatrixFile.read(Golden.path("b1.npy"))
    #expect(vector.count == 3 && vector.dimension == 1 && vector.values == [1, 0, 1])
    let cube = try MatrixFile.read(Golden.path("cube_fortran.npy"))
    #expect(cube.count == 2 && cube.dimension == 12 && cube.values == (0..<24).map { Double($0) })
    let empty = try MatrixFile.read(Golden.path("empty.npy"))
    #expect(empty.count == 0 && empty.dimension == 3 && empty.values.isEmpty)
    #expect(throws: FlowIOError.self) { try MatrixFile.read(Golden.path("scalar.npy")) }
  }

  @Test(arguments: ["a.csv", "a.txt", "a.tsv", "A.CSV"])
  func tables(_ name: String) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file(name, holding: "x\ty\n1\t2.5\n3\t4\n")
    let matrix = try MatrixFile.read(path)
    #expect(matrix.count == 2 && matrix.dimension == 2 && matrix.values == [1, 2.5, 3, 4] && matrix.lines == [2, 3])
  }

  @Test func doublesAreKept() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file("a.csv", holding: "t\n20180131\n1700000000.123\n")
    #expect(try MatrixFile.read(path).values == [20_180_131, 1_700_000_000.123])
    let values = [20_180_131, 1_700_000_000.123, 0x1p30 + 0x1p-22]
    try NumPyFile.write(NumPyArray(shape: [3], doubles: values), to: directory.file("a.npy"))
    #expect(try MatrixFile.read(directory.file("a.npy")).values == values)
    try NumPyFile.write(NumPyArray(shape: [2], integers: [1 << 40 + 1, 3]), to: directory.file("i.npy"))
    #expect(try MatrixFile.read(directory.file("i.npy")).values == [0x1p40 + 1, 3])
  }

  /// What may be wrong is said, with the way to change it.
  @Test func doubtsAreRemarked() throws {
    let directory = try TemporaryDirectory()
    let rows = (0..<8).map { "\($0).5,-0.25\n" }.joined()
    func remarks(_ text: String) throws -> [String] {
      try MatrixFile.read(directory.file("a.csv", holding: text)).remarks
    }
    #expect(try remarks("x,y\n" + rows).isEmpty && remarks("1,0\n0,1\n").isEmpty)
    #expect(try remarks("0,1\n" + rows).first?.contains("--header absent") == true)
    #expect(
      try remarks("2019,2020\n1,5\n").first?.contains("(2019, 2020) is taken as a sample: give --header present")
        == true)
    #expect(try remarks(",x\n0,5\n1,7\n").first?.contains("column 1") == true)
    #expect(try remarks("\"\",\"x\"\n\"1\",5\n\"2\",7\n").first?.contains("counts the rows") == true)
    #expect(try remarks(",x\n0,5\n3,7\n").isEmpty)
  }

  @Test(arguments: ["a.parquet", "a", "dir.csv/a"])
  func unknownExtensions(_ path: String) {
    let found = error { () throws(FlowIOError) in _ = try MatrixFile.read(path) }
    #expect(
      found?.description == "\(path): the file name extension must tell the format; "
        + "rename the file to end in one of .npy, .csv, .txt, .tsv")
  }

  @Test func namesThatAreNotUTF8() {
    let found = error { () throws(FlowIOError) in _ = try MatrixFile.read("caf\u{FFFD}.csv") }
    #expect(found?.description == "no such file: caf\u{FFFD}.csv; its name is not text in UTF-8, so rename the file")
  }

  @Test func missingFiles() {
    for path in ["/nowhere/a.npy", "/nowhere/a.csv"] {
      let found = error { () throws(FlowIOError) in _ = try MatrixFile.read(path) }
      #expect(found?.description == "no such file: \(path); check the spelling of the path")
    }
  }
}
