import FlowIO
import Testing

@Suite struct JSONTests {
  @Test func orderedObjectsRoundTrip() throws {
    let value: JSONValue = [
      "zebra": 1, "apple": [true, false, nil, -2.5], "text": "quote \" backslash \\ line\n tab\t é 🙂 \u{1}",
      "empty": [:],
    ]
    let text = value.description
    #expect(
      text == #"{"zebra":1,"apple":[true,false,null,-2.5],"#
        + #""text":"quote \" backslash \\ line\n tab\t é 🙂 \u0001","empty":{}}"#)
    #expect(try JSONValue(parsing: text) == value)
  }

  @Test func doublesAreShortestAndRoundTrip() throws {
    var random = SplitMix(state: 2)
    for _ in 0..<2000 {
      let double = Double(bitPattern: random.next())
      guard double.isFinite else { continue }
      let read = try #require(try JSONValue(parsing: JSONValue.number(double).description).doubleValue)
      #expect(read.bitPattern == double.bitPattern, "\(double)")
    }
    #expect(JSONValue.number(0.1).description == "0.1")
    #expect(
      JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity)]).description == "[null,null,null]")
  }

  @Test func integersAreExact() throws {
    #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(0x1p63))
    #expect(try JSONValue(parsing: "1.0") == .number(1))
    #expect(try JSONValue(parsing: "1.0").integerValue == 1)
    #expect(try JSONValue(parsing: "-0").doubleValue?.sign == .minus)
  }

  @Test func accessors() throws {
    let value = try JSONValue(parsing: #" {"a": {"b": [1, "x"]}, "c": null} "#)
    #expect(value["a"]?["b"]?.elements?.last?.text == "x")
    #expect(value["c"]?.doubleValue == nil)
    #expect(value["d"] == nil)
    #expect(value.members?.map(\.key) == ["a", "c"])
  }

  @Test func escapes() throws {
    #expect(try JSONValue(parsing: #""\u00e9\u00C9\ud83d\ude42\/\b\f""#) == .string("éÉ🙂/\u{8}\u{C}"))
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "-", "1e", "1e400", "NaN", "Infinity", "tru",
    "nul", "\"a", "\"\t\"", #""\x""#, #""\u12""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "1 2", "[1 2]",
    "{\"a\" 1}", "'a'", "// no\n1", "\u{FEFF}1", "[1]]",
  ])
  func refused(_ text: String) {
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: text) }
  }

  @Test func duplicateKeysAreRefused() {
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: #"{"a":1,"b":2,"a":1}"#) }
    // A key spelt with an escape equals the same key without one.
    let found = #expect(throws: JSONParseError.self) { try JSONValue(parsing: #"[{"a":1,"\u0061":2}]"#) }
    #expect(found?.description == "has the key 'a' twice at byte 16")
  }

  @Test func invalidBytesAreRefused() {
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
  }

  @Test func deepNestingIsRefusedBeforeTheStackOverflows() throws {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: deep) }
    let allowed = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    #expect(try JSONValue(parsing: allowed).description == allowed)
  }
}
