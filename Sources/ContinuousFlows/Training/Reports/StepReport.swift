/// One step of training.
public struct StepReport: Sendable, Equatable {
  /// Steps taken, this one included.
  public let step: Int
  /// The batch's mean of what is minimised, regularisers included, before the step.
  public let loss: Double
  /// Its mean negative log-density, in nats, in the space of the data; nil where the objective gives none.
  public let nllNats: Double?
  /// Mean over the batch of `∫ ½ mean_D f² |dt|`; nil where the training solver does not integrate it.
  public let kineticEnergy: Double?
  /// Mean over the batch of `∫ ‖J‖²_F / D |dt|`, or of its estimate, likewise.
  public let frobeniusNorm: Double?
  public let learningRate: Double
  /// Euclidean norm of the gradient, before it was clipped.
  public let gradientNorm: Double
  /// Mean evaluations of the field per sample of the batch.
  public let evaluationsMean: Double
  /// Seconds of training, those before a resumption included.
  public let seconds: Double
  /// What part of the run is over, in [0, 1].
  public let progress: Double
}
