import ContinuousFlows
import FlowPlots

extension HamiltonianFlow: RunModel {
  static let noun = "Hamiltonian flow"

  var continuousFlow: ContinuousFlow? { flow }

  /// Volumes are kept, so the base has to have the data's to begin with.
  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) {
    settings.base = "full-gaussian"
    settings.hidden = [64, 64]
  }

  static func validate(_ settings: Settings) throws {
    try settings.validatePotential()
    try settings.validateTrainingSolver()
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> HamiltonianFlow {
    guard training.dimension.isMultiple(of: 2) else {
      throw CommandFailure(
        .usage,
        "model is hamiltonian, for positions and as many momenta, and \(settings.data) has \(training.dimension) "
          + "columns")
    }
    try settings.validateSize(dimension: training.dimension)
    let (transform, base) = try settings.surroundings(of: training)
    let architecture = HamiltonianArchitecture(
      hidden: settings.hidden, activation: Activation(rawValue: settings.activation) ?? .tanh,
      isSeparable: settings.separable, seesTime: true)
    return HamiltonianFlow(
      try ContinuousFlow(
        dimension: training.dimension, hamiltonian: architecture, endTime: settings.endTime, seed: settings.seed,
        transform: transform, base: base))
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<HamiltonianFlow> {
    StructuredObjective(try MaximumLikelihood(flow: flow, options: settings.trainingOptions))
  }
}
