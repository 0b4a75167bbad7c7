import ContinuousFlows

extension ModelKind {
  static let potential = ModelKind(
    "potential", "OT-Flow: flow along the gradient of a learned potential", TransportFlow.self,
    features: [.hiddenLayers, .transportCosts, .endTime, .base, .solver, .stepGradient, .divergence]
  ) {
    // Training uses the exact trace; afterwards an estimate may be looked at.
    $0.featuresWhenTrained = [.probes]
    $0.reasons = [
      .penalties: "its costs are weighted by transport and hjb", .probes: "its trace is exact",
      .freeField: "its field is the gradient of a potential",
    ]
    // The paper's: two layers, log cosh, few steps of rk4, the exact trace, and its weights of both costs.
    $0.adaptDefaults = { settings, source in
      settings.hidden = source == .digits ? [64, 64] : [32, 32]
      settings.activation = .logcosh
      settings.solver = .rk4
      settings.fixedSteps = 8
      settings.trace = .exact
      settings.transport = TransportLikelihood.defaultWeights.transport
      settings.hjb = TransportLikelihood.defaultWeights.hamiltonJacobi
    }
    $0.refusals = [
      .activationWithSecondDerivative,
      Refusal(.training) { settings in
        guard settings.hidden.count < 2 || Set(settings.hidden).count != 1 else { return nil }
        return "hidden is \(settings.hidden), but the layers of a potential are two or more of one width, such as 32,32"
      },
      Refusal(.training) { settings in
        for (trace, key) in [(settings.trace, "trace"), (settings.evaluationTrace, "evaluation-trace")]
        where [.hutchinson, .automatic].contains(trace) {
          return "\(key) is \(trace.rawValue), and model is potential, whose trace is exact: leave --\(key) out"
        }
        return nil
      },
    ]
  }
}

extension TransportFlow: RunModel {
  static let noun = "OT-Flow"

  var continuousFlow: ContinuousFlow? { flow }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> TransportFlow {
    try settings.checkSize(dimension: split.train.dimension)
    let (transform, base) = try settings.fitted(to: split.train)
    return try TransportFlow(
      dimension: split.train.dimension,
      architecture: TransportArchitecture(
        width: settings.hidden[0], layers: settings.hidden.count, activation: settings.activation),
      endTime: settings.endTime, seed: settings.seed, transform: transform, base: base)
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<TransportFlow> {
    StructuredObjective(
      try TransportLikelihood(
        flow: flow, architecture: architecture, transport: settings.transport, hamiltonJacobi: settings.hjb,
        options: settings.trainingOptions))
  }
}
