import FlowIO
import Foundation
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
    "# comment\n\n1, 2 ,3\n # another, one\n4 ,5, 6\n", "\u{FEFF}1,2,3\n4,5,6", "\"1\",\"2\",\"3\"\n\"4\",\"5\",\"6\"",
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

  /// A first line of numbers that are written in another way than all later ones.
  @Test func headersOfNumbers() throws {
    let rows = (0..<8).map { "\($0).5,-0.25\n" }.joined()
    for (line, names) in [("0,1", ["0", "1"]), ("2019,2020", ["2019", "2020"]), ("\"2019\",\"7\"", ["2019", "7"])] {
      let read = try table("\(line)\n\(rows)")
      #expect(read.header == names && read.rows == 8 && read.values.prefix(2) == [0.5, -0.25], "\(line)")
    }
    #expect(try table("\"1\",\"2\"\n3,4\n").header == ["1", "2"])
    // pandas' table with its row numbers.
    let indexed = try table(",0,1\n0,1.5,2\n1,3,4\n")
    #expect(indexed.header == ["", "0", "1"] && indexed.values == [0, 1.5, 2, 1, 3, 4])
    // Whole numbers among whole numbers are samples, and so is a first line before too few others.
    #expect(try table("0,1\n1,0\n").header == nil && table("1,2\n0.5,0.25\n").rows == 2)
    #expect(try table("0,1\n" + rows + "3,0.5\n").rows == 10)
    #expect(problem(",0,1\n5,1.5,2\n")?.contains("line 1, column 1 is empty") == true)
  }

  @Test func headersBySaying() throws {
    let bytes = Array("0,1\n2,3\n".utf8)
    let present = try CSVTable.read(bytes: bytes, source: "x.csv", header: .present)
    #expect(present == CSVTable(header: ["0", "1"], columns: 2, values: [2, 3]))
    let absent = try CSVTable.read(bytes: Array("\"1\",\"2\"\n3,4\n".utf8), source: "x.csv", header: .absent)
    #expect(absent == CSVTable(columns: 2, values: [1, 2, 3, 4]))
    #expect(throws: FlowIOError.self) {
      try CSVTable.read(bytes: Array("x,y\n1,2\n".utf8), source: "x.csv", header: .absent)
    }
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

  /// The fix in a sentence has to suit the cell.
  @Test func fixesSuitTheCell() {
    let cases = [
      ("a;b\n1,5;2,5\n", "write a decimal point instead of the comma"), ("a\tb\n1.234,5\t2\n", "decimal point"),
      ("a,b\n1,NA\n", "the value is missing"), ("a,b\n1,#N/A\n", "the value is missing"),
      ("a,b\nnull,2\n", "the value is missing"), ("1;2;;\n3;4;;\n", "line 1, column 3 is empty, and nothing follows"),
      ("1;2;;\n", "if the lines end in ';', remove that"), ("a,b\n1,,\n", "line 2, column 2 is empty, and nothing"),
      ("a;b;c\n1;;2\n", "column 2 is empty; write a number in every cell"),
      ("id,2019\n1,2\n", "--header present"), ("1,5 2,5\n", "decimal commas"),
    ]
    for (text, words) in cases {
      let found = problem(text) ?? "none"
      #expect(found.contains(words), "\(text): \(found)")
    }
    for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian] {
      let bytes = Array("1,2\n3,4\n".data(using: encoding) ?? Data())
      let found = error { () throws(FlowIOError) in _ = try CSVTable.read(bytes: bytes, source: "x.csv") }
      #expect(found?.description.contains("UTF-16") == true && found?.description.contains("UTF-8") == true)
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
