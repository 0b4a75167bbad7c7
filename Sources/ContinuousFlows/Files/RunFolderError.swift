/// Why a folder cannot be a run's.
public enum RunFolderError: Error, Sendable, Equatable {
  /// It holds a run, recognised by `file`.
  case holdsRun(path: String, file: String)
  case cannotCreate(path: String, reason: String)
  case notWritable(path: String)
  /// There is nothing to resume.
  case noCheckpoint(path: String)
}
