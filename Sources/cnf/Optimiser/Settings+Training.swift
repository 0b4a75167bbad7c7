import ContinuousFlows

extension Settings {
  /// The settings as the library's options of training.
  var trainingOptions: TrainingOptions {
    TrainingOptions(
      steps: self.steps == 0 ? nil : self.steps, seconds: self.seconds == 0 ? nil : self.seconds,
      batchSize: self.batchSize,
      learningRate: self.learningRate,
      schedule: LearningRateSchedule(self.schedule == .cosine ? .cosine() : .constant, warmupSteps: self.warmupSteps),
      adam: Adam(weightDecay: decay),
      regularisation: Regularisation(kineticEnergy: self.kinetic, frobeniusNorm: self.frobenius),
      clipNorm: self.clipNorm == 0 ? nil : self.clipNorm,
      averageDecay: self.averageDecay == 0 ? nil : self.averageDecay, validationInterval: self.validationInterval,
      patience: self.patience == 0 ? nil : self.patience, checkpointInterval: self.checkpointInterval, seed: self.seed,
      solver: trainingSolver, evaluationSolver: evaluationSolverOptions, backend: self.backend,
      endTimeJitter: self.steer)
  }

  private var decay: WeightDecay {
    guard self.weightDecay > 0 else { return .none }
    return self.optimiser == .adamw ? .decoupled(self.weightDecay) : .penalty(self.weightDecay)
  }
}
