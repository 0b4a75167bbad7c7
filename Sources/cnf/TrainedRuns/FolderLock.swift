import CLibrary

/// Keeps two processes from training in one run folder. The system releases it when the process ends, however it ends.
final class FolderLock {
  private let descriptor: Int32

  /// Throws a failure if another process trains in the folder at `path`, which exists.
  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A file system without locks is accepted; writes report a folder that cannot be opened.
    if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw CommandFailure(
        .other, "another process is training in \(path): wait for it, or start a new run with --out")
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
