import CLibrary
import Dispatch

/// Threads that share the chunks of a call.
enum Workers {
  /// The machine's processors.
  static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Runs `work` on up to `threads` threads, which take their chunks from one queue.
  static func run(chunks: Int, threads: Int, work: @Sendable (ChunkQueue) -> Void) {
    let queue = ChunkQueue(chunks: chunks)
    let count = min(threads, chunks)
    if count <= 1 {
      work(queue)
    } else {
      DispatchQueue.concurrentPerform(iterations: count) { _ in work(queue) }
    }
  }
}
