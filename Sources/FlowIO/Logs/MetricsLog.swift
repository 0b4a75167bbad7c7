import CLibrary

/// A log of JSON objects, one per line (`metrics.jsonl`).
///
/// Each record is appended by one write, so a killed process leaves at most its last line unfinished. Opening the log
/// again removes such a line. Not for use from several threads at once.
public final class MetricsLog {
  /// The path of the log.
  public let path: String
  private var file: OpenFile

  /// Opens the log at `path`, or creates a new one.
  ///
  /// - Throws: `FlowIOError.system`.
  public init(path: String) throws(FlowIOError) {
    self.path = path
    file = try OpenFile(path, flags: O_RDWR | O_CREAT | O_APPEND)
    let bytes = try file.readToEnd()
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if whole < bytes.count { try file.truncate(to: whole) }
  }

  /// Appends a record and keeps the order of its members: `try log.append(["step": 1, "loss": .number(loss)])`.
  ///
  /// Numbers that are not finite become `null`.
  ///
  /// - Precondition: `record` is an object.
  /// - Throws: `FlowIOError.system`.
  public func append(_ record: JSONValue) throws(FlowIOError) {
    precondition(record.members != nil, "a record of a metrics log must be a JSON object, not \(record)")
    try file.write(Array((record.description + "\n").utf8))
  }

  /// Waits until all records are on the disk. Call it before writing the checkpoint that the records belong to.
  ///
  /// - Throws: `FlowIOError.system`.
  public func synchronize() throws(FlowIOError) {
    try file.synchronize()
  }

  /// Removes the first record whose `step` is greater than `step` and all later records, and syncs the file.
  ///
  /// A run that resumes from the checkpoint of `step` then continues the log as the uninterrupted run would have.
  ///
  /// - Throws: `FlowIOError.system`; `.malformed` with the number of a line that is not a JSON object.
  public func truncate(afterStep step: Int) throws(FlowIOError) {
    for line in try Self.lines(of: path) {
      guard let recorded = line.record["step"]?.integerValue, recorded > step else { continue }
      try file.truncate(to: line.start)
      break
    }
    try file.synchronize()
  }

  /// The records of the log at `path`, all of them objects. An unfinished last line is left out.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`; `.malformed` with the number of a line that is not a JSON object.
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
          fix: "remove that line, or the whole file if you do not need its records")
      }
      lines.append((start, record))
      start = end + 1
    }
    return lines
  }
}
