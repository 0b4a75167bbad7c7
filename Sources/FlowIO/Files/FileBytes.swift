import CLibrary

/// Reading a whole file as bytes.
enum FileBytes {
  /// The content of the file at `path`. Pipes and devices are read to their end.
  static func read(_ path: String) throws(FlowIOError) -> [UInt8] {
    try OpenFile(path, flags: O_RDONLY).readToEnd()
  }
}
