import FieldPrograms

/// Samples with a name, and how they were counted.
public struct Dataset: Sendable, Equatable {
  public let name: String
  /// `[count][D]`. For quantised data the levels k themselves; `continuousPoints` makes x of them.
  public let points: SampleMatrix
  public let quantisation: Quantisation?
  /// One class per sample, where the data have them. Training does not see them.
  public let labels: [UInt8]?
  /// `[count]`: what a sample's noise and probes are keyed by. Its number in the whole set, which it keeps when it is split off.
  public let identifiers: [UInt64]
  /// `[count][C]`: what is known of each sample beforehand, the c of a conditional flow's p(x|c), in its own units; nil: nothing.
  public let context: SampleMatrix?
  /// `[count][K]`: what a regression is to give for each sample, where the data have such.
  public let targets: SampleMatrix?

  public init(
    name: String, points: SampleMatrix, quantisation: Quantisation? = nil, labels: [UInt8]? = nil,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, targets: SampleMatrix? = nil
  ) {
    precondition(labels.map { $0.count == points.count } ?? true, "\(name): one label per sample, or none")
    precondition(identifiers.map { $0.count == points.count } ?? true, "\(name): one identifier per sample, or none")
    precondition(context.map { $0.count == points.count } ?? true, "\(name): one row of context per sample, or none")
    precondition(targets.map { $0.count == points.count } ?? true, "\(name): one row of targets per sample, or none")
    self.name = name
    self.points = points
    self.quantisation = quantisation
    self.labels = labels
    self.identifiers = identifiers ?? (0..<UInt64(points.count)).map { $0 }
    self.context = context
    self.targets = targets
  }

  public var count: Int { points.count }
  public var dimension: Int { points.dimension }

  /// The samples of these numbers, in this order.
  public func rows(_ numbers: some Collection<Int>) -> Dataset {
    Dataset(
      name: name, points: points.rows(numbers), quantisation: quantisation,
      labels: labels.map { labels in numbers.map { labels[$0] } }, identifiers: numbers.map { identifiers[$0] },
      context: context?.rows(numbers), targets: targets?.rows(numbers))
  }

  /// What a density model sees: the points, or for quantised data `(k + u) / levels` with the noise of `epoch`.
  ///
  /// Training takes a new epoch each time round; evaluation the fixed `Quantisation.evaluationEpoch`.
  public func continuousPoints(
    seed: UInt64 = 0, epoch: UInt64 = Quantisation.evaluationEpoch
  ) -> SampleMatrix {
    guard let quantisation else { return points }
    return quantisation.dequantise(points, identifiers: identifiers, seed: seed, epoch: epoch)
  }

  /// Throws `DataError` for a set without rows, or with NaN or ∞ in it; columns of the context count behind those of the points.
  public func validate() throws {
    guard count > 0 else { throw DataError.empty(source: name) }
    if let index = points.values.firstIndex(where: { !$0.isFinite }) {
      throw DataError.notFinite(
        source: name, row: index / dimension, column: index % dimension, value: "\(points.values[index])")
    }
    for further in [context, targets] {
      guard let further, let index = further.values.firstIndex(where: { !$0.isFinite }) else { continue }
      let (row, column) = index.quotientAndRemainder(dividingBy: further.dimension)
      throw DataError.notFinite(
        source: name, row: row, column: dimension + column, value: "\(further.values[index])")
    }
  }
}
