extension TrainingOptions {
  /// Throws `TrainingError.invalidOption` for the first invalid value. Solvers check their own options.
  func validate() throws(TrainingError) {
    if steps == nil, seconds == nil {
      throw .invalidOption(name: "steps", value: "missing", allowed: "given, or seconds must be")
    }
    try Self.require("steps", steps ?? 1, "at least 1") { $0 >= 1 }
    try Self.require("seconds", seconds ?? 1, "positive and finite") { $0 > 0 && $0.isFinite }
    try Self.require("batchSize", batchSize, "at least 1") { $0 >= 1 }
    try Self.require("learningRate", learningRate, "positive and finite") { $0 > 0 && $0.isFinite }
    try Self.require("clipNorm", clipNorm ?? 1, "positive") { $0 > 0 }
    try Self.require("averageDecay", averageDecay ?? 0, "at least 0 and below 1") { $0 >= 0 && $0 < 1 }
    try Self.require("validationInterval", validationInterval, "at least 1") { $0 >= 1 }
    try Self.require("patience", patience ?? 1, "at least 1") { $0 >= 1 }
    try Self.require("checkpointInterval", checkpointInterval, "at least 1") { $0 >= 1 }
    try Self.require("metricsInterval", metricsInterval, "at least 1") { $0 >= 1 }
    try Self.require("beta1", adam.beta1, "at least 0 and below 1") { $0 >= 0 && $0 < 1 }
    try Self.require("beta2", adam.beta2, "at least 0 and below 1") { $0 >= 0 && $0 < 1 }
    try Self.require("epsilon", adam.epsilon, "positive and finite") { $0 > 0 && $0.isFinite }
    let decay: Double =
      switch adam.weightDecay {
      case .none: 0
      case .penalty(let factor), .decoupled(let factor): factor
      }
    try Self.require("weightDecay", decay, "not negative and finite") { $0 >= 0 && $0.isFinite }
    try Self.require("kineticEnergy", regularisation.kineticEnergy, "not negative and finite") {
      $0 >= 0 && $0.isFinite
    }
    try Self.require("endTimeJitter", endTimeJitter, "not negative and finite") { $0 >= 0 && $0.isFinite }
    try Self.require("frobeniusNorm", regularisation.frobeniusNorm, "not negative and finite") {
      $0 >= 0 && $0.isFinite
    }
  }

  /// The further requirements of maximum likelihood.
  func validateLikelihood() throws(TrainingError) {
    try Self.require("trace of the training solver", solver.trace, "one that gives a divergence") { $0 != .none }
    if regularisation.frobeniusNorm > 0 {
      try Self.require("trace of the training solver", solver.trace, "one with tangents, for the Frobenius norm") {
        $0 != .exactProduct
      }
    }
    try Self.require("trace of the evaluation solver", evaluationSolver.trace, "one that gives a divergence") {
      $0 != .none
    }
  }

  /// Throws if there is regularisation; `objective` says which objective cannot use it.
  func refuseRegularisation(_ objective: String) throws(TrainingError) {
    try Self.require("regularisation", regularisation, "none \(objective)") { $0 == .none }
  }

  /// Throws if there is a random end time; `objective` says which objective cannot use it.
  func refuseEndTimeJitter(_ objective: String) throws(TrainingError) {
    try Self.require("endTimeJitter", endTimeJitter, "0 \(objective)") { $0 == 0 }
  }

  private static func require<Value>(
    _ name: String, _ value: Value, _ allowed: String, _ holds: (Value) -> Bool
  ) throws(TrainingError) {
    guard !holds(value) else { return }
    throw .invalidOption(name: name, value: "\(value)", allowed: allowed)
  }
}
