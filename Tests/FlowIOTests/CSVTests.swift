import FlowIO
import Testing

@Suite struct CSVTests {
  private func table(_ text: String) throws(FlowIOError) -> CSVTable {
    try CSVTable.read(bytes: Array(text.utf8), source: "x.csv")
  }

  private func problem(_ text: String) -> String? {
    error { () throws(FlowIOError) in _ = try table(text) }?.description
  }

  @Test(arguments: [
    "1,2,3\n4,5,6\n", "1;2;3\r\n4;5;6\r\n\r\n\r\n", "1\t2\t3\n4\t5\t6", "1 2 3\n4 5 6\n\n\n", "  1   2  3  \n 4 5\t6 ",
    "# comment\n\n1, 2 ,3\n # another, one\n4 ,5, 6\n", "\u{FEFF}1,2,3\n4,5,6", "\"1\",\"2\",\"3\"\n4,5,6",
    "+1,2.0,.3e1\n4.,50E-1,0.06e+2\n",
  ])
  func separatorsAndLineEnds(_ text: String) throws {
    #expect(try table(text) == CSVTable(columns: 3, values: [1, 2, 3, 4, 5, 6]))
  }

  @Test func headers() throws {
    #expect(try table("x,y\n1,2\n") == CSVTable(header: ["x", "y"], columns: 2, values: [1, 2]))
    let quoted = try table("\"length, cm\" , \"say \"\"a\"\"\"\r\n1,2\r\n")
    #expect(quoted.header == ["length, cm", "say \"a\""])
    #expect(try table("a b\n1 2\n").header == ["a", "b"])
    #expect(try table("nan,inf\n1,2\n").header == nil)
  }

  @Test func oneColumn() throws {
    #expect(try table("1\n2\n3") == CSVTable(columns: 1, values: [1, 2, 3]))
    #expect(try table("x\n2\n").header == ["x"])
  }

  @Test func nonFiniteNumbersAreValues() throws {
    let values = try table("1,nan,NaN\n-inf,Infinity,+INF").values
    #expect(values[1].isNaN && values[2].isNaN)
    #expect(Array(values[3...]) == [-.infinity, .infinity, .infinity])
  }

  @Test func raggedRows() {
    #expect(
      problem("a,b\n1,2\n\n3\n") == "x.csv: line 4 has 1 column, but the lines before it have 2; "
        + "give every line the same number of columns")
    #expect(problem("1 2\n1 2 3\n")?.contains("line 2 has 3 columns, but the lines before it have 2") == true)
  }

  @Test func cellsThatAreNotNumbers() {
    #expect(
      problem("a,b\n1,2\n3,4x\n") == "x.csv: line 3, column 2 is not a number: '4x'; "
        + "write a number in every cell below the header")
    #expect(problem("1,2\n,3\n")?.contains("line 2, column 1 is empty") == true)
    #expect(problem("1,2,\n")?.contains("line 1, column 3 is empty") == true)
    // A first line with one mistyped number is not a header.
    #expect(problem("1.0,2.O\n1,2\n")?.contains("line 1, column 2 is not a number: '2.O'") == true)
    #expect(problem("a;b\n1,5;2,5\n")?.contains("column 1 is not a number: '1,5'") == true)
    for text in ["0x10", "1e", "1e+", "--1", ".", "-", "1_0", "1.2.3", "e5", "1 2", "infx", "\"1", "١"] {
      #expect(problem("a;b\n1;\(text)\n") != nil, "\(text)")
    }
  }

  @Test(arguments: ["", "\n\n", "# only\n", "a,b\n"])
  func nothingToRead(_ text: String) {
    #expect(problem(text)?.hasPrefix("x.csv: the file has no numbers") == true)
  }

  @Test func numbersAreCorrectlyRounded() throws {
    var random = SplitMix(state: 6)
    var texts = ["0.1", "123456789012345678901234567890", "9007199254740993", "1e-400", "1e400", "4.9e-324", "2e-324"]
    texts += ["0.000000000000000000000000123", "1.00000000000000011102230246251565", "10000000000000000000000e-22"]
    texts += ["1e99999999999999999999", "0e99999999999999999999", "-0", "0000000000000000000000001.5"]
    for _ in 0..<3000 {
      let double = Double(bitPattern: random.next())
      if double.isFinite { texts.append(double.description) }
      texts.append("\(Int32(truncatingIfNeeded: random.next())).\(random.next() % 1_000_000)")
      texts.append("\(random.next())e\(Int(random.next() % 60) - 30)")
    }
    let values = try table(texts.joined(separator: "\n")).values
    for (text, value) in zip(texts, values) { #expect(value.bitPattern == Double(text)?.bitPattern, "\(text)") }
  }

  @Test func writtenTablesReadBack() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.csv")
    let values: [Float] = [0.1, -0.0, 1e-30, .greatestFiniteMagnitude, .infinity, 3]
    try CSVTable.write(values, columns: 3, header: ["a", "b, c", "d \"e\""], to: path)
    let read = try CSVTable.read(path)
    #expect(read.header == ["a", "b, c", "d \"e\""])
    #expect(read.rows == 2 && read.columns == 3)
    #expect(read.values.map { Float($0) } == values)
    try CSVTable.write([0.1, .nan], columns: 1, to: path)
    #expect(try String(decoding: readBytes(path), as: UTF8.self) == "0.1\nnan\n")
  }

  @Test func damageNeverCrashes() {
    var random = SplitMix(state: 7)
    let whole = Array("a,b\r\n1.5,-2e3\r\n\"3\",nan\n# c\n4,5\n".utf8)
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = try? CSVTable.read(bytes: bytes, source: "x")
    }
  }
}
