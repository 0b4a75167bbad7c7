import CLibrary

/// A log of JSON objects, one a line (`metrics.jsonl`).
///
/// Each record reaches the operating system in one write to the end of the file, so a killed process leaves at most its
/// last line unfinished. Such a line is removed when the log is opened again. Not for use from several threads at once.
public final class MetricsLog {
  /// Where the log is.
  public let path: String
  private var file: OpenFile

  /// Opens the log at `path`, or begins a new one.
  ///
  /// - Throws: `FlowIOError.system`.
  public init(path: String) throws(FlowIOError) {
    self.path = path
    file = try OpenFile(path, flags: O_RDWR | O_CREAT | O_APPEND)
    let bytes = try file.readToEnd()
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if whole < bytes.count { try file.truncate(to: whole) }
  }

  /// Adds a record, with its members in the order given: `try log.append(["step": 1, "loss": .number(loss)])`.
  ///
  /// Numbers that are not finite become `null`.
  ///
  /// - Precondition: `record` is an object.
  /// - Throws: `FlowIOError.system`.
  public func append(_ record: JSONValue) throws(FlowIOError) {
    precondition(record.members != nil, "a record is an object, not \(record)")
    try file.write(Array((record.description + "\n").utf8))
  }

  /// Waits until all records are on the disk: to be called before a checkpoint that they belong to is written.
  public func synchronize() throws(FlowIOError) {
    try file.synchronize()
  }

  /// Cuts the log before the first record whose `step` is beyond `step`, and waits until that is on the disk.
  ///
  /// A run resumed from a checkpoint of `step` then continues the log just as the uninterrupted run would have.
  ///
  /// - Throws: `FlowIOError.system`, `.malformed` naming the line that is not a record.
  public func truncate(afterStep step: Int) throws(FlowIOError) {
    for line in try Self.lines(of: path) {
      guard let recorded = line.record["step"]?.integerValue, recorded > step else { continue }
      try file.truncate(to: line.start)
      break
    }
    try file.synchronize()
  }

  /// Closes the log; nothing may be appended afterwards, and further calls do nothing.
  public func close() throws(FlowIOError) {
    try file.close()
  }

  /// The records of the log at `path`, all objects; a last line that was not finished is left out.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`, `.malformed` naming the line that is not a record.
  public static func read(_ path: String) throws(FlowIOError) -> [JSONValue] {
    try lines(of: path).map(\.record)
  }

  private static func lines(of path: String) throws(FlowIOError) -> [(start: Int, record: JSONValue)] {
    let bytes = try FileBytes.read(path)
    var lines: [(start: Int, record: JSONValue)] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      guard let record = try? JSONValue(parsing: Array(bytes[start..<end])), record.members != nil else {
        throw .malformed(
          path: path, problem: "line \(lines.count + 1) is not a JSON object",
          mend: "remove that line, or the file if the records before it are not needed")
      }
      lines.append((start, record))
      start = end + 1
    }
    return lines
  }
}
