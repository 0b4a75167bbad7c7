/// What a step of training minimises: it turns a batch into a gradient.
///
/// Random numbers have to be keyed by the batch's `seed`, `step` and identifiers, and sums be in an order of their own, so that
/// a run stays the same bit for bit at any number of threads and through a resumption.
public protocol TrainingObjective<Model> {
  associatedtype Model: TrainableModel

  /// The gradient of the batch's mean loss by the parameters.
  ///
  /// - Throws: `TrainingError.solveFailed` and what solvers throw.
  func gradient(of batch: TrainingBatch, model: Model) throws -> BatchGradient

  /// How well `model` explains samples: what is compared between validations.
  func evaluate(_ model: Model, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult
}

/// The gradient of a batch, and what is worth a line of the metrics.
public struct BatchGradient: Sendable {
  /// `∂loss/∂θ`, `[P]`.
  public var parameters: [Float]
  /// The mean over the batch of what is minimised, regularisers included.
  public var loss: Double
  /// Mean negative log-density in nats, in the space of the data; nil where the objective gives none.
  public var nllNats: Double?
  /// Means over the batch of the regularisers' integrals; nil where they are not integrated.
  public var kineticEnergy: Double?
  public var frobeniusNorm: Double?
  /// Mean evaluations of the field per sample.
  public var evaluationsMean: Double
  /// `∂loss/∂T`, of a solve that ends or begins at T; nil where there is none.
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
