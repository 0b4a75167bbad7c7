extension JSONValue {
  /// Parses one JSON document. Only white space may come before and after it.
  ///
  /// - Throws: `JSONParseError` if the text violates the grammar, is not UTF-8, has a key twice in one object, has a
  ///   number beyond the range of a double, or is nested more than 128 levels deep.
  public init(parsing bytes: [UInt8]) throws(JSONParseError) {
    self = try JSONParser.parse(bytes)
  }

  /// Parses one JSON document, like `init(parsing: [UInt8])`.
  public init(parsing text: String) throws(JSONParseError) {
    try self.init(parsing: Array(text.utf8))
  }
}
