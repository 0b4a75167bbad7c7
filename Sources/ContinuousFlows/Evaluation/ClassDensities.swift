import CLibrary

/// Log-densities `log p(x|c)` of samples for every class c of a flow conditioned on K classes. Bayes' rule turns them
/// into p(x) and p(c|x) (generative classifiers: Bishop 2006, Pattern Recognition and Machine Learning, section 4.2).
public struct ClassDensities: Sendable, Equatable {
  /// `log p(x|c)` in nats, `[count][K]`; NaN if the solve failed.
  public let values: [Double]
  /// p(c), `[K]`.
  public let probabilities: [Double]

  public init(values: [Double], probabilities: [Double]) {
    precondition(
      !probabilities.isEmpty && values.count % probabilities.count == 0,
      "\(values.count) log-densities of \(probabilities.count) classes")
    self.values = values
    self.probabilities = probabilities
  }

  /// K.
  public var classCount: Int { probabilities.count }
  public var count: Int { values.count / classCount }
  /// Number of pairs of sample and class whose solve failed.
  public var failed: Int { values.count { $0.isNaN } }

  /// `log p(x) = log Σ_c p(x|c) p(c)` in nats, `[count]`; NaN if a class has no density.
  public var logMarginals: [Double] { (0..<count).map { Self.logSum(joint($0)) } }

  /// The class of largest p(c|x), the first of equal ones, `[count]`; nil if no class has a density. A class whose
  /// solve failed is not chosen.
  public var predictions: [Int?] {
    (0..<count).map { sample in
      let joint = joint(sample)
      let known = joint.indices.filter { joint[$0] > -.infinity }
      return known.max { joint[$0] < joint[$1] || (joint[$0] == joint[$1] && $0 > $1) }
    }
  }

  /// `log p(c|x)`, `[count][K]`.
  public var logPosteriors: [Double] {
    (0..<count).flatMap { sample in
      let joint = joint(sample)
      let marginal = Self.logSum(joint)
      return joint.map { $0 - marginal }
    }
  }

  /// The fraction of samples whose predicted class is their label.
  ///
  /// - Parameter labels: `[count]`.
  public func accuracy(labels: [UInt8]) -> Double {
    precondition(labels.count == count, "\(labels.count) labels for \(count) samples")
    return Double(zip(predictions, labels).count { $0 == Int($1) }) / Double(count)
  }

  /// `log p(x|c) + log p(c)` of each class.
  private func joint(_ sample: Int) -> [Double] {
    probabilities.indices.map { values[sample * classCount + $0] + log(probabilities[$0]) }
  }

  /// log Σ exp, computed from the largest term so that nothing overflows; −∞ if all terms are, NaN if one is.
  private static func logSum(_ terms: [Double]) -> Double {
    guard !terms.contains(where: \.isNaN) else { return .nan }
    let largest = terms.max() ?? -.infinity
    guard largest.isFinite else { return largest }
    return largest + log(terms.reduce(0) { $0 + exp($1 - largest) })
  }
}

extension ContinuousFlow {
  /// `log p(x|c)` of every sample and class in nats, by K solves for each sample. A flow whose `contextKind` is not
  /// `.classes` is a precondition failure.
  ///
  /// - Parameters: as for `logDensities`; a sample has the same probes for every class.
  /// - Throws: `KernelError` for a refused option.
  public func classDensities(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil
  ) throws -> ClassDensities {
    guard case .classes(let probabilities) = contextKind else { preconditionFailure("the flow knows no classes") }
    let (count, classes) = (samples.count, probabilities.count)
    let identifiers = identifiers ?? (0..<UInt64(count)).map { $0 }
    let repeated = (0..<count).flatMap { Array(repeating: $0, count: classes) }
    let labels = (0..<count).flatMap { _ in 0..<classes }
    let densities = try logDensities(
      of: samples.rows(repeated), options: options, backend: backend, seed: seed,
      identifiers: repeated.map { identifiers[$0] }, context: SampleMatrix(oneHot: labels, classes: classes))
    return ClassDensities(values: densities.values, probabilities: probabilities)
  }
}
