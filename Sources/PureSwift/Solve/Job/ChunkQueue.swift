import Synchronization

/// Hands out the numbers of chunks, each once.
final class ChunkQueue: Sendable {
  private let chunks: Int
  private let taken = Atomic<Int>(0)

  init(chunks: Int) { self.chunks = chunks }

  /// nil when there are no more.
  func next() -> Int? {
    let chunk = taken.wrappingAdd(1, ordering: .relaxed).oldValue
    return chunk < chunks ? chunk : nil
  }
}
