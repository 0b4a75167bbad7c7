import CLibrary

/// Atomic replacement of files: after a crash at any time, a file is either the complete old or the complete new one.
public enum DurableFile {
  /// Replaces the file at `path` by `bytes`.
  ///
  /// The bytes go to a temporary file in the same directory. That file is synced, closed and renamed over `path`; then
  /// the directory is synced. If any step fails, the temporary file is removed and the old file is unchanged. A path
  /// that is not a regular file (`/dev/stdout`, a named pipe) cannot be replaced; it is opened and written to instead.
  /// Temporary files that killed processes left for the same path are removed first.
  ///
  /// - Throws: `FlowIOError.system` naming `path` and the operating system's reason.
  public static func write(_ path: String, _ bytes: [UInt8]) throws(FlowIOError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw .system(path: path, operation: "write", reason: "it is a directory; name a file inside it")
      }
      var file = try OpenFile(path, flags: O_WRONLY)
      try file.write(bytes)
      return try file.close()
    }
    removeAbandoned(for: path)
    let (directory, name) = split(path)
    let temporary = try temporaryFile(in: directory, for: name, of: path, holding: bytes)
    guard rename(temporary, path) == 0 else {
      let error = FlowIOError.lastSystemError(path: path, operation: "rename a temporary file to")
      unlink(temporary)
      throw error
    }
    try synchronizeDirectory(directory)
  }

  /// Removes the temporary files that killed processes left for `path`, as far as that is possible.
  ///
  /// A process locks its temporary file while it writes, and the system frees the lock when the process ends. So a file
  /// that can be locked belongs to nobody. Where the file system has no locks, nothing is removed.
  public static func removeAbandoned(for path: String) {
    let (directory, name) = split(path)
    guard let folder = opendir(directory) else { return }
    defer { closedir(folder) }
    let (start, end) = (temporaryPrefix(of: name), temporarySuffix)
    var found: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
      }
      guard name.hasPrefix(start), name.hasSuffix(end), name.utf8.count > start.utf8.count + end.utf8.count else {
        continue
      }
      let tag = name.dropFirst(start.count).dropLast(end.count)
      if UInt64(tag, radix: tagRadix) != nil { found.append("\(directory)/\(name)") }
    }
    for temporary in found {
      guard let file = try? OpenFile(temporary, flags: O_RDONLY | O_NOFOLLOW), file.lock() else { continue }
      unlink(temporary)
    }
  }

  private static func temporaryPrefix(of name: Substring) -> String { ".\(name.prefix(40))." }
  private static let temporarySuffix = ".tmp"
  private static let tagRadix = 36

  /// Syncs a directory, so that files created, renamed or removed in it stay so after a crash.
  public static func synchronizeDirectory(_ path: String) throws(FlowIOError) {
    var directory = try OpenFile(path, flags: O_RDONLY | O_DIRECTORY)
    try directory.synchronize(ignoringUnsupported: true)
    try directory.close()
  }

  /// Writes and syncs a new hidden file and returns its path; removes the file if that fails.
  private static func temporaryFile(
    in directory: String, for name: Substring, of path: String, holding bytes: [UInt8]
  ) throws(FlowIOError) -> String {
    let tag = String(UInt64.random(in: .min ... .max), radix: tagRadix)
    let temporary = "\(directory)/\(temporaryPrefix(of: name))\(tag)\(temporarySuffix)"
    do throws(FlowIOError) {
      // O_EXCL: never follow a link or reuse a file that another process created under this name.
      var file = try OpenFile(temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
      do throws(FlowIOError) {
        _ = file.lock()
        try file.write(bytes)
        try file.synchronize()
        try file.close()
      } catch {
        unlink(temporary)
        throw error
      }
    } catch {
      // The message names `path`, which the user gave, and not the temporary file.
      guard case .system(_, let operation, let reason) = error else { throw error }
      throw .system(path: path, operation: operation == "open" ? "create" : operation, reason: reason)
    }
    return temporary
  }

  private static func split(_ path: String) -> (directory: String, name: Substring) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
    let name = path[path.index(after: slash)...]
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }
}
