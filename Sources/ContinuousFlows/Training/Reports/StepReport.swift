/// The report of one training step.
public struct StepReport: Sendable, Equatable {
  /// Steps taken, this one included.
  public let step: Int
  /// The mean loss of the batch before the step, regularisers included.
  public let loss: Double
  /// NLL of the batch in nats per sample, in the space of the data; nil if the objective gives none.
  public let nllNats: Double?
  /// Mean over the batch of `∫ ½ mean_D f² |dt|`; nil if the training solver does not integrate it.
  public let kineticEnergy: Double?
  /// Mean over the batch of `∫ ‖J‖²_F / D |dt|` or its estimate; nil if the training solver does not integrate it.
  public let frobeniusNorm: Double?
  public let learningRate: Double
  /// Euclidean norm of the gradient before clipping.
  public let gradientNorm: Double
  /// Mean number of evaluations of the field per sample of the batch.
  public let evaluationsMean: Double
  /// Seconds of training, including those before the run was resumed.
  public let seconds: Double
  /// The fraction of the run that is over, in [0, 1].
  public let progress: Double
}
