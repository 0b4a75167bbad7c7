/// The mini-batches of a run, as a function of (data, batch size, seed, step): resuming a run needs no further state.
///
/// The samples of all epochs are laid end to end, each epoch in its own order, and cut into batches. A batch may hold
/// the end of one epoch and the beginning of the next; no sample is left out.
struct TrainingBatches {
  let size: Int
  private let dataset: Dataset
  private let transform: DataTransform
  private let seed: UInt64
  private var epoch: Int?
  private var order: [Int] = []
  /// The whole set in the model's space, `[count][D]`; for quantised data with the noise of this epoch.
  private var samples: [Float] = []
  private var logDeterminants: [Double] = []
  /// As the model reads it, `[count][C]`.
  private let context: [Float]

  /// - Parameters:
  ///   - size: limited to the size of the set.
  ///   - context: of the whole set, `[count][C]`, as the model reads it; empty if C is 0.
  init(_ dataset: Dataset, transform: DataTransform, size: Int, seed: UInt64, context: [Float] = []) {
    self.dataset = dataset
    self.context = context
    self.transform = transform
    self.seed = seed
    self.size = min(size, dataset.count)
  }

  /// The batch of step `step`, counted from 0.
  mutating func batch(step: Int) -> TrainingBatch {
    let dimension = dataset.dimension
    var batch = TrainingBatch(
      states: [], logDeterminants: [], identifiers: [], rows: [], seed: seed, step: step)
    batch.states.reserveCapacity(size * dimension)
    batch.identifiers.reserveCapacity(size)
    batch.rows.reserveCapacity(size)
    for number in step * size..<(step + 1) * size {
      enter(epoch: number / dataset.count)
      let row = order[number % dataset.count]
      batch.states.append(contentsOf: samples[row * dimension..<(row + 1) * dimension])
      batch.logDeterminants.append(logDeterminants[row])
      batch.identifiers.append(dataset.identifiers[row])
      batch.rows.append(row)
      batch.context.append(contentsOf: context[row * contextDimension..<(row + 1) * contextDimension])
    }
    return batch
  }

  /// C.
  private var contextDimension: Int { context.count / dataset.count }

  private mutating func enter(epoch next: Int) {
    guard epoch != next else { return }
    order = permutation(count: dataset.count, from: RandomSource(seed: seed, stream: .shuffle, step: UInt64(next)))
    if epoch == nil || dataset.quantisation != nil {
      let values = dataset.continuousSamples(seed: seed, epoch: UInt64(next)).values
      samples = transform.forward(values)
      logDeterminants = transform.logDeterminants(values)
    }
    epoch = next
  }
}
