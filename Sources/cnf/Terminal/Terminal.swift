import CLibrary

/// Standard output for results, standard error for everything else.
enum Terminal {
  /// Whether standard error is a terminal.
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Whether standard error may have colours: on a terminal that has them, unless `NO_COLOR` is set to a non-empty
  /// text.
  static let errorHasColour: Bool = {
    let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    let dumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
    return errorIsTerminal && !refused && !dumb
  }()

  /// Columns of the terminal, or 80.
  static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes a line of the result.
  ///
  /// - Throws: if it cannot be written, unless the reader has closed the pipe and so has all that it needs.
  static func result(_ line: String) throws(CommandFailure) {
    guard let code = write(line + "\n", to: STDOUT_FILENO), code != EPIPE else { return }
    throw CommandFailure(
      .other,
      "cannot write the result to standard output: \(String(cString: strerror(code))); write it to a place with free space"
    )
  }

  /// Writes a line to standard error. If that fails, there is no place left to report it.
  static func remark(_ line: String) { _ = write(line + "\n", to: STDERR_FILENO) }

  /// Writes text to standard error as it is.
  static func errorText(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Writes all of `text`; returns the system's error number where that fails.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        CLibrary.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      done += count
    }
    return nil
  }
}
