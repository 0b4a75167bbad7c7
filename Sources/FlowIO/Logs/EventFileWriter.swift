import CLibrary

/// Writes scalar curves that TensorBoard shows (`tensorboard --logdir DIRECTORY`).
///
/// Records stay in memory until there are 64 KiB of them, or until `flush`. Not for use from several threads at once.
public final class EventFileWriter {
  private static let bufferSize = 1 << 16

  /// The path of the event file.
  public let path: String
  private var file: OpenFile
  private var buffer: [UInt8] = []

  /// Creates `events.out.tfevents.<seconds since 1970>.<host>` in `directory`. If that file exists, the new name gets
  /// a number as suffix.
  ///
  /// - Parameters:
  ///   - directory: an existing directory.
  ///   - firstStep: the first step of a resumed run; nil for a new run. TensorBoard then discards the points of this
  ///     and later steps that the interrupted run wrote into other files of the directory.
  /// - Throws: `FlowIOError.system` if the file cannot be created.
  public init(directory: String, firstStep: Int? = nil) throws(FlowIOError) {
    let now = Self.now()
    let base = "\(directory)/events.out.tfevents.\(Int(now)).\(Self.hostName())"
    var path = base
    var attempt = 0
    while access(path, F_OK) == 0 {
      attempt += 1
      path = "\(base).\(attempt)"
    }
    self.path = path
    file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL)
    buffer = EventRecord.fileVersion(wallTime: now)
    if let firstStep { buffer += EventRecord.restart(step: firstStep, wallTime: now) }
    try flush()
  }

  deinit { try? flush() }

  /// Adds a point to the curve called `tag`. TensorBoard groups curves by the part before a slash (`loss/train`).
  ///
  /// - Parameters:
  ///   - value: stored as a float; may be NaN or infinite.
  ///   - wallTime: seconds since 1970; the current time if nil.
  /// - Throws: `FlowIOError.system` if the buffer was full and could not be written.
  public func scalar(_ tag: String, _ value: Double, step: Int, wallTime: Double? = nil) throws(FlowIOError) {
    buffer += EventRecord.scalar(tag: tag, value: Float(value), step: step, wallTime: wallTime ?? Self.now())
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Writes all buffered records to the file.
  ///
  /// - Throws: `FlowIOError.system`.
  public func flush() throws(FlowIOError) {
    guard !buffer.isEmpty else { return }
    let records = buffer
    buffer = []
    try file.write(records)
  }

  /// Flushes and closes the file. Nothing may be added afterwards; further calls do nothing.
  ///
  /// - Throws: `FlowIOError.system`.
  public func close() throws(FlowIOError) {
    try flush()
    try file.close()
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func hostName() -> String {
    // HOST_NAME_MAX is 64. gethostname may cut a longer name without a terminating zero, so one is kept in reserve.
    var name = [UInt8](repeating: 0, count: 65)
    let failed = name.withUnsafeMutableBytes { gethostname($0.baseAddress!, 64) } != 0
    let text = String(decoding: name.prefix { $0 != 0 && $0 != UInt8(ascii: "/") }, as: UTF8.self)
    return failed || text.isEmpty ? "localhost" : text
  }
}
