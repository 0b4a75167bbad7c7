/// What training minimises: it computes the gradient of a batch.
///
/// Key random numbers by the batch's `seed`, `step` and identifiers, and add sums in a fixed order. Then a run stays
/// the same bit for bit at any number of threads and after resuming.
public protocol TrainingObjective<Model> {
  associatedtype Model: TrainableModel

  /// The gradient of the batch's mean loss with respect to the parameters.
  ///
  /// - Throws: `TrainingError.solveFailed` and the errors of solvers.
  func gradient(of batch: TrainingBatch, model: Model) throws -> BatchGradient

  /// How well `model` explains `dataset`; validations compare these results.
  func evaluate(_ model: Model, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult
}

/// The gradient of a batch, and the values recorded in the metrics.
public struct BatchGradient: Sendable {
  /// `∂loss/∂θ`, `[P]`.
  public var parameters: [Float]
  /// The mean over the batch of the minimised loss, regularisers included.
  public var loss: Double
  /// NLL of the batch in nats per sample, in the space of the data; nil if the objective gives none.
  public var nllNats: Double?
  /// Means over the batch of the regularisers' integrals; nil if they are not integrated.
  public var kineticEnergy: Double?
  public var frobeniusNorm: Double?
  /// Mean evaluations of the field per sample.
  public var evaluationsMean: Double
  /// `∂loss/∂T` of a solve that ends or begins at T; nil if there is none.
  public var endTime: Double?

  public init(
    parameters: [Float], loss: Double, nllNats: Double? = nil, kineticEnergy: Double? = nil,
    frobeniusNorm: Double? = nil, evaluationsMean: Double, endTime: Double? = nil
  ) {
    self.parameters = parameters
    self.loss = loss
    self.nllNats = nllNats
    self.kineticEnergy = kineticEnergy
    self.frobeniusNorm = frobeniusNorm
    self.evaluationsMean = evaluationsMean
    self.endTime = endTime
  }
}

extension BatchGradient {
  /// The gradient of a likelihood with regularisers, by solves of a batch.
  ///
  /// - Parameters:
  ///   - losses: each sample's loss, scaled and with its regularisers.
  ///   - kineticEnergies, frobeniusNorms: `[count]`; empty if they are not integrated.
  init(
    ofLikelihood parameters: [Float], losses: [Double], kineticEnergies: [Double], frobeniusNorms: [Double],
    evaluations: [Int], regularisation: Regularisation, batch: TrainingBatch, endTime: Double? = nil
  ) {
    let count = Double(batch.count)
    let loss = losses.reduce(0, +)
    let (kinetic, frobenius) = (kineticEnergies.mean, frobeniusNorms.mean)
    let penalty =
      regularisation.kineticEnergy * (kinetic ?? 0) + regularisation.frobeniusNorm * (frobenius ?? 0)
    self.init(
      parameters: parameters, loss: loss, nllNats: loss - penalty - batch.logDeterminants.reduce(0, +) / count,
      kineticEnergy: kinetic, frobeniusNorm: frobenius,
      evaluationsMean: Double(evaluations.reduce(0, +)) / count, endTime: endTime)
  }
}

extension [Double] {
  /// nil for an empty array, as of integrals that the solver was not asked for.
  var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
