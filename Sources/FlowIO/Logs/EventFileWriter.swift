import CLibrary

/// Writes curves for TensorBoard (`tensorboard --logdir DIRECTORY`).
///
/// Records gather in memory until there are 64 KiB of them, or until `flush`. Not for use from several threads at once.
public final class EventFileWriter {
  private static let bufferSize = 1 << 16

  /// Where the records go.
  public let path: String
  private var file: OpenFile
  private var buffer: [UInt8] = []

  /// Makes `events.out.tfevents.<seconds since 1970>.<host>` in `directory`, with a number behind it if there is one
  /// already.
  ///
  /// - Parameters:
  ///   - directory: an existing directory.
  ///   - firstStep: for a resumed run, the step it resumes at: TensorBoard then drops what the interrupted run wrote of
  ///     that step and later ones into other files of the directory.
  /// - Throws: `FlowIOError.system`.
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

  /// Adds a point to the curve called `tag`; a slash in it groups curves (`loss/train`).
  ///
  /// - Parameters:
  ///   - value: stored as a float; may be NaN or infinite.
  ///   - wallTime: seconds since 1970; the present if nil.
  /// - Throws: `FlowIOError.system` if the buffer was full and could not be written.
  public func scalar(_ tag: String, _ value: Double, step: Int, wallTime: Double? = nil) throws(FlowIOError) {
    buffer += EventRecord.scalar(tag: tag, value: Float(value), step: step, wallTime: wallTime ?? Self.now())
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Hands all records to the operating system.
  public func flush() throws(FlowIOError) {
    guard !buffer.isEmpty else { return }
    let records = buffer
    buffer = []
    try file.write(records)
  }

  /// Flushes and closes the file; nothing may be added afterwards, and further calls do nothing.
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
    // HOST_NAME_MAX is 64; a longer name would come without its terminating zero.
    var name = [UInt8](repeating: 0, count: 65)
    let failed = name.withUnsafeMutableBytes { gethostname($0.baseAddress!, 64) } != 0
    let text = String(decoding: name.prefix { $0 != 0 && $0 != UInt8(ascii: "/") }, as: UTF8.self)
    return failed || text.isEmpty ? "localhost" : text
  }
}
