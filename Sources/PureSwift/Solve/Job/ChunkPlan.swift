/// How a batch is cut into chunks, the units of work and of the gradient's sums. The rule knows only the batch size, so
/// neither depends on the number of threads.
struct ChunkPlan: Sendable {
  let count: Int
  /// Samples of every chunk but the last.
  let size: Int

  /// Chunks are whole tiles of `lanes`. A large batch has about 32 chunks: enough to balance the work of many cores,
  /// and few enough that partial gradients stay small compared with the work.
  init(count: Int, lanes: Int) {
    self.count = count
    let tiles = (count + lanes - 1) / lanes
    size = max(1, (tiles + 31) / 32) * lanes
  }

  var chunks: Int { (count + size - 1) / size }

  func samples(of chunk: Int) -> Range<Int> {
    chunk * size..<min(count, (chunk + 1) * size)
  }
}
