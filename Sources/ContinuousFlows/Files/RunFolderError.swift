/// Why a folder cannot be used for a run.
public enum RunFolderError: Error, Sendable, Equatable {
  /// It holds a run already, recognised by `file`.
  case holdsRun(path: String, file: String)
  case cannotCreate(path: String, reason: String)
  case notWritable(path: String)
  /// It has no checkpoint to resume from.
  case noCheckpoint(path: String)
}
