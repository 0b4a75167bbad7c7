import CLibrary

/// A file descriptor that is closed exactly once. The result of every system call is checked.
struct OpenFile: ~Copyable {
  let path: String
  private var descriptor: Int32

  /// Opens `path` with `flags` (`O_…` constants) and `O_CLOEXEC`.
  ///
  /// - Throws: `FlowIOError.missingFile` if there is no file and `flags` does not create one; `.system` otherwise.
  init(_ path: String, flags: Int32, mode: mode_t = 0o666) throws(FlowIOError) {
    var descriptor: Int32
    repeat { descriptor = open(path, flags | O_CLOEXEC, mode) } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else {
      if errno == ENOENT, flags & O_CREAT == 0 { throw .missingFile(path: path) }
      throw .lastSystemError(path: path, operation: "open")
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    if descriptor >= 0 { _ = CLibrary.close(descriptor) }
  }

  /// The size and kind of the file.
  func status() throws(FlowIOError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .lastSystemError(path: path, operation: "inspect") }
    return status
  }

  /// Writes all of `bytes`, with as many system calls as that takes.
  func write(_ bytes: [UInt8]) throws(FlowIOError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        CLibrary.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .lastSystemError(path: path, operation: "write")
      }
      done += count
    }
  }

  /// Everything from the current position to the end of the file.
  func readToEnd() throws(FlowIOError) -> [UInt8] {
    let status = try status()
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .system(path: path, operation: "read", reason: "it is a directory; name a file inside it")
    }
    // The size is a hint only: it is 0 for pipes and for the files of /proc, and another process may be writing.
    var bytes = try read(upTo: Int(status.st_size))
    while true {
      let more = try read(upTo: 1 << 16)
      if more.isEmpty { return bytes }
      bytes += more
    }
  }

  /// Locks the file until it is closed; false if another process has locked it, or the file system has no locks.
  func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// Cuts the file to its first `size` bytes.
  func truncate(to size: Int) throws(FlowIOError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      throw .lastSystemError(path: path, operation: "truncate")
    }
  }

  /// Waits until the content of the file is on the disk.
  ///
  /// - Parameter ignoringUnsupported: whether to succeed on a file system that cannot sync this kind of file. Some
  ///   file systems cannot sync a directory.
  func synchronize(ignoringUnsupported: Bool = false) throws(FlowIOError) {
    guard fsync(descriptor) == 0 else {
      if ignoringUnsupported, errno == EINVAL || errno == ENOTSUP { return }
      throw .lastSystemError(path: path, operation: "sync")
    }
  }

  /// Closes the file. Network file systems may report a failed write only now. Further calls do nothing.
  mutating func close() throws(FlowIOError) {
    guard descriptor >= 0 else { return }
    let closing = descriptor
    // Linux frees the descriptor even if close fails, so it must not be closed again.
    descriptor = -1
    guard CLibrary.close(closing) == 0 || errno == EINTR else {
      throw .lastSystemError(path: path, operation: "close")
    }
  }

  private func read(upTo limit: Int) throws(FlowIOError) -> [UInt8] {
    guard limit > 0 else { return [] }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
      while initialized < limit {
        let count = CLibrary.read(descriptor, buffer.baseAddress! + initialized, limit - initialized)
        if count < 0 {
          if errno == EINTR { continue }
          failure = errno
          return
        }
        if count == 0 { return }
        initialized += count
      }
    }
    if failure != 0 { throw .systemError(failure, path: path, operation: "read") }
    return bytes
  }
}
