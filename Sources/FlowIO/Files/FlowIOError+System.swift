import CLibrary

extension FlowIOError {
  /// The error for the current `errno`. Call it before any other system call, which may overwrite `errno`.
  static func lastSystemError(path: String, operation: String) -> FlowIOError {
    systemError(errno, path: path, operation: operation)
  }

  static func systemError(_ code: Int32, path: String, operation: String) -> FlowIOError {
    .system(path: path, operation: operation, reason: String(cString: strerror(code)))
  }
}
