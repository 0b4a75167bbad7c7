import ContinuousFlows

extension ModelKind {
  static let hamiltonian = ModelKind(
    "hamiltonian", "flow along Hamilton's equations of a learned energy, which preserves volumes", HamiltonianFlow.self,
    features: [.hiddenLayers, .energy, .endTime, .base, .solver, .stepGradient, .penalties]
  ) {
    // The divergence is 0; the Frobenius norm uses the tangents of a trace all the same.
    $0.featuresOfSettings = { $0.frobenius > 0 ? [.divergence, .probes] : [] }
    $0.reasons = [
      .divergence: "its divergence is 0", .probes: "its divergence is 0",
      .freeField: "its field is the gradient of an energy",
    ]
    // Volumes are preserved, so the base has to have the data's volume from the start.
    $0.adaptDefaults = { settings, _ in
      settings.base = .fullGaussian
      settings.hidden = [64, 64]
    }
    $0.refusals = [.activationWithSecondDerivative]
  }
}

extension Refusal {
  /// The field is a gradient, so training needs the second derivative of its activation.
  static let activationWithSecondDerivative = Refusal(.training) { settings in
    do throws(DerivativeError) {
      _ = try HamiltonianArchitecture(hidden: [1], activation: settings.activation).program(stateDimension: 2)
      return nil
    } catch {
      return "activation is \(settings.activation.rawValue): \(error)"
    }
  }
}

extension HamiltonianFlow: RunModel {
  static let noun = "Hamiltonian flow"

  var continuousFlow: ContinuousFlow? { flow }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> HamiltonianFlow {
    let dimension = split.train.dimension
    guard dimension.isMultiple(of: 2) else {
      throw CommandFailure(
        .usage,
        "model is hamiltonian, which needs positions and as many momenta, and \(settings.data.text) has \(dimension) "
          + "columns: bring data with an even number of columns")
    }
    try settings.checkSize(dimension: dimension)
    let (transform, base) = try settings.fitted(to: split.train)
    let architecture = HamiltonianArchitecture(
      hidden: settings.hidden, activation: settings.activation, isSeparable: settings.separable, seesTime: true)
    return HamiltonianFlow(
      try ContinuousFlow(
        dimension: dimension, hamiltonian: architecture, endTime: settings.endTime, seed: settings.seed,
        transform: transform, base: base))
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<HamiltonianFlow> {
    StructuredObjective(try MaximumLikelihood(flow: flow, options: settings.trainingOptions))
  }
}
