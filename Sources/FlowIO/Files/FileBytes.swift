import CLibrary

/// Whole files as bytes.
enum FileBytes {
  /// The content of the file at `path`; pipes and devices are read to their end.
  static func read(_ path: String) throws(FlowIOError) -> [UInt8] {
    try OpenFile(path, flags: O_RDONLY).readToEnd()
  }
}
