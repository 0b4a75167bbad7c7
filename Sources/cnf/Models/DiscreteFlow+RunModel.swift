import ContinuousFlows

extension CouplingFlow: RunModel {
  static let noun = "coupling flow"

  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) {
    settings.hidden = [100, 100]
    settings.activation = "tanh"
    settings.learningRate = 2e-3
  }

  static func validate(_ settings: Settings) throws { try settings.refuseUniformBase() }

  static func untrained(for training: Dataset, settings: Settings) throws -> CouplingFlow {
    guard training.dimension >= 2 else {
      throw CommandFailure(
        .usage, "model is coupling, which needs data of two columns at least, and \(settings.data) has one: take affine"
      )
    }
    // A layer's net sees the columns it leaves and gives two numbers for each that it moves.
    try settings.validateSize(dimension: training.dimension + 1, parts: settings.depth)
    let (transform, base) = try settings.surroundings(of: training)
    return CouplingFlow(
      dimension: training.dimension, depth: settings.depth, hidden: settings.hidden,
      activation: Activation(rawValue: settings.activation) ?? .tanh, seed: settings.seed, transform: transform,
      base: base)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<CouplingFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}

extension AffineFlow: RunModel {
  static let noun = "affine flow"

  static func validate(_ settings: Settings) throws { try settings.refuseUniformBase() }

  static func untrained(for training: Dataset, settings: Settings) throws -> AffineFlow {
    let (transform, base) = try settings.surroundings(of: training)
    return AffineFlow(dimension: training.dimension, seed: settings.seed, transform: transform, base: base)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<AffineFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}

extension LinearFlow: RunModel {
  static let noun = "linear flow"

  static func validate(_ settings: Settings) throws { try settings.refuseUniformBase() }

  static func untrained(for training: Dataset, settings: Settings) throws -> LinearFlow {
    let (transform, base) = try settings.surroundings(of: training)
    return LinearFlow(dimension: training.dimension, transform: transform, base: base)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<LinearFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}
