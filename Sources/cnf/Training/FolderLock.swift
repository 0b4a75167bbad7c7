import CLibrary

/// Keeps two processes from training in one run folder. The system lets go of it when the process ends, however it ends.
final class FolderLock {
  private let descriptor: Int32

  /// Throws a failure where another process trains in the folder of `path`, which exists.
  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A file system without locks, or a folder that cannot be opened, is for the writes to judge.
    if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw CommandFailure(
        .other, "another process is training in \(path): wait for it, or begin a new run with --out")
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
