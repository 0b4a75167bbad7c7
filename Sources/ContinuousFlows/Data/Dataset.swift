import FieldPrograms

/// Samples with a name, and optionally labels, context, targets and the levels they were counted in.
public struct Dataset: Sendable, Equatable {
  public let name: String
  /// The samples, `[count][D]`. For quantised data these are the levels k; `continuousSamples` turns them into x.
  public let samples: SampleMatrix
  public let quantisation: Quantisation?
  /// One class per sample, if the data have classes. Density models do not read them.
  public let labels: [UInt8]?
  /// `[count]`: the keys of the samples' noise and probes. A sample keeps its number in the whole set when the set is
  /// split.
  public let identifiers: [UInt64]
  /// `[count][C]`: the context c of a conditional flow's p(x|c), in its own units; nil means none.
  public let context: SampleMatrix?
  /// `[count][K]`: the targets of a regression; nil means none.
  public let targets: SampleMatrix?
  /// What may be wrong with the reading of the file: sentences with the fix.
  public let remarks: [String]

  public init(
    name: String, samples: SampleMatrix, quantisation: Quantisation? = nil, labels: [UInt8]? = nil,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, targets: SampleMatrix? = nil,
    remarks: [String] = []
  ) {
    precondition(labels.map { $0.count == samples.count } ?? true, "\(name): one label per sample, or none")
    precondition(identifiers.map { $0.count == samples.count } ?? true, "\(name): one identifier per sample, or none")
    precondition(context.map { $0.count == samples.count } ?? true, "\(name): one row of context per sample, or none")
    precondition(targets.map { $0.count == samples.count } ?? true, "\(name): one row of targets per sample, or none")
    self.name = name
    self.samples = samples
    self.quantisation = quantisation
    self.labels = labels
    self.identifiers = identifiers ?? (0..<UInt64(samples.count)).map { $0 }
    self.context = context
    self.targets = targets
    self.remarks = remarks
  }

  public var count: Int { samples.count }
  public var dimension: Int { samples.dimension }

  /// The samples with these row numbers, in this order.
  public func rows(_ numbers: some Collection<Int>) -> Dataset {
    Dataset(
      name: name, samples: samples.rows(numbers), quantisation: quantisation,
      labels: labels.map { labels in numbers.map { labels[$0] } }, identifiers: numbers.map { identifiers[$0] },
      context: context?.rows(numbers), targets: targets?.rows(numbers), remarks: remarks)
  }

  /// The samples as a density model reads them: for quantised data `(k + u) / levels` with the noise of `epoch`,
  /// otherwise unchanged.
  ///
  /// Training uses a new epoch for every pass over the data, evaluation the fixed `Quantisation.evaluationEpoch`.
  public func continuousSamples(
    seed: UInt64 = 0, epoch: UInt64 = Quantisation.evaluationEpoch
  ) -> SampleMatrix {
    guard let quantisation else { return samples }
    return quantisation.dequantise(samples, identifiers: identifiers, seed: seed, epoch: epoch)
  }

  /// Throws `DataError` if there are no rows, or if a value is NaN, infinite or beyond the range of a float. In the
  /// message, context columns count after the columns of the samples.
  public func validate() throws {
    guard count > 0 else { throw DataError.empty(source: name) }
    if let index = samples.values.firstIndex(where: { !Float($0).isFinite }) {
      throw DataError.notFinite(
        source: name, row: index / dimension, column: index % dimension, value: "\(samples.values[index])")
    }
    for further in [context, targets] {
      guard let further, let index = further.values.firstIndex(where: { !Float($0).isFinite }) else { continue }
      let (row, column) = index.quotientAndRemainder(dividingBy: further.dimension)
      throw DataError.notFinite(
        source: name, row: row, column: dimension + column, value: "\(further.values[index])")
    }
  }
}
