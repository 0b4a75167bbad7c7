extension JSONValue {
  /// Reads one JSON document; white space about it is allowed, anything else is not.
  ///
  /// - Throws: `JSONParseError` for text that breaks the grammar, has a key twice in one object, has a number beyond
  ///   the range of a double, is not UTF-8, or is nested more than 128 deep.
  public init(parsing bytes: [UInt8]) throws(JSONParseError) {
    self = try JSONParser.parse(bytes)
  }

  /// Reads one JSON document from text.
  public init(parsing text: String) throws(JSONParseError) {
    try self.init(parsing: Array(text.utf8))
  }
}
