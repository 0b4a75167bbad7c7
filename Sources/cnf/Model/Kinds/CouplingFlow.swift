import ContinuousFlows

extension ModelKind {
  static let coupling = ModelKind(
    "coupling", "RealNVP: coupling layers, nothing is solved", CouplingFlow.self,
    features: [.hiddenLayers, .couplingLayers, .base]
  ) {
    $0.adaptDefaults = { settings, _ in
      settings.hidden = [100, 100]
      settings.activation = .tanh
      settings.learningRate = 2e-3
    }
  }
}

extension CouplingFlow: RunModel {
  static let noun = "coupling flow"

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> CouplingFlow {
    let dimension = split.train.dimension
    guard dimension >= 2 else {
      throw CommandFailure(
        .usage,
        "model is coupling, which needs data with at least two columns, and \(settings.data.text) has one: give --model "
          + "affine")
    }
    // A layer's net reads the columns that stay and gives two numbers for each that changes.
    try settings.checkSize(dimension: dimension + 1, parts: settings.depth)
    let (transform, base) = try settings.fitted(to: split.train)
    return CouplingFlow(
      dimension: dimension, depth: settings.depth, hidden: settings.hidden, activation: settings.activation,
      seed: settings.seed, transform: transform, base: base)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<CouplingFlow> {
    try ExactLikelihood(model: self, options: settings.trainingOptions)
  }
}
