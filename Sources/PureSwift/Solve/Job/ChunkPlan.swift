/// How a batch is cut into chunks, the units of work and of the gradient's sums: a rule of the batch size alone, so
/// that neither depends on the number of threads.
struct ChunkPlan: Sendable {
  let count: Int
  /// Samples of every chunk but the last.
  let size: Int

  /// Chunks are whole tiles of `lanes`, about 32 of them where the batch is large enough: enough to balance the work of
  /// many cores, few enough that their partial gradients stay small beside the work.
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
