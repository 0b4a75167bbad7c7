import CLibrary

extension FlowIOError {
  /// The error for what `errno` says now: to be made before any other system call.
  static func lastSystemError(path: String, operation: String) -> FlowIOError {
    systemError(errno, path: path, operation: operation)
  }

  static func systemError(_ code: Int32, path: String, operation: String) -> FlowIOError {
    .system(path: path, operation: operation, reason: String(cString: strerror(code)))
  }
}
