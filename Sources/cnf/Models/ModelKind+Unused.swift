/// What is of no use to whom: one list for each kind of model, and one for each objective. A setting on such a list is refused
/// where it is given (`Settings.refuseUnused`), and the test of refusals has a row for each.
extension ModelKind {
  /// The settings that a model of this kind has no use for, whatever it is trained by.
  var unused: [Settings.Key] {
    switch self {
    case .flow, .timedFlow: Self.othersOwn + [.blocks, .depth]
    case .stacked: Self.othersOwn + [.depth, .objective, .steer] + Self.conditions
    case .classifier, .regression: Self.notOfOutputs + [.residualSteps]
    // It is its own solver, whose steps are its blocks; their gradient is made like any.
    case .residualNetwork:
      Self.notOfOutputs + [
        .solver, .rtol, .atol, .fixedSteps, .solverMaxSteps, .controller, .norm, .evaluationSolver, .evaluationRtol,
        .evaluationAtol,
        .evaluationFixedSteps,
      ]
    case .coupling: Self.notOfDiscrete
    case .affine, .linear: Self.notOfDiscrete + [.hidden, .activation, .depth]
    case .hamiltonian:
      Self.othersOwn.filter { $0 != .separable } + Self.fields + Self.conditions + [
        .blocks, .depth, .objective, .steer,
      ]
    case .potential:
      Self.othersOwn.filter { ![.transport, .hjb].contains($0) } + Self.fields + Self.conditions
        + [.blocks, .depth, .objective, .steer, .kinetic, .frobenius]
    case .diffusion:
      Self.othersOwn + Self.conditions
        + [.blocks, .depth, .objective, .steer, .kinetic, .frobenius, .base, .endTime]
    }
  }

  /// What one kind alone, or those with outputs, have.
  private static let othersOwn: [Settings.Key] = [
    .separable, .transport, .hjb, .targets, .augment, .encoder, .head, .residualSteps,
  ]
  private static let conditions: [Settings.Key] = [.condition, .conditionColumns]
  /// Of fields that are no gradient.
  private static let fields: [Settings.Key] = [
    .layer, .residual, .layerNorm, .dropout, .timeFeatures, .hyperUnits,
  ]
  /// Nothing is integrated beside the state: there is no divergence, and no penalty.
  private static let notOfOutputs: [Settings.Key] =
    conditions + Settings.traceKeys + [
      .blocks, .depth, .separable, .base, .objective, .kinetic, .frobenius, .steer, .transport, .hjb,
    ]
  /// Nothing is solved.
  private static let notOfDiscrete: [Settings.Key] =
    othersOwn + fields + conditions + Settings.traceKeys + Settings.trainingSolveKeys + [
      .blocks, .endTime, .objective, .solverMaxSteps, .controller, .norm, .evaluationSolver, .evaluationRtol,
      .evaluationAtol, .evaluationFixedSteps, .kinetic, .frobenius, .steer,
    ]
}

extension Objective {
  /// The settings that training by an objective has no use for, whatever the model.
  static func unused(by objective: String) -> [Settings.Key] {
    switch objective {
    // Neither solves: what it costs is an evaluation of the field for each sample.
    case flowMatching: Settings.trainingSolveKeys + [.trace, .kinetic, .frobenius, .steer, .process, .weighting]
    case scoreMatching: Settings.trainingSolveKeys + [.trace, .kinetic, .frobenius, .steer, .path, .coupling]
    default: [.path, .coupling, .process, .weighting]
    }
  }
}

extension Settings {
  /// Of the solves of training alone. (The others are of evaluation's too.)
  static let trainingSolveKeys: [Key] = [.solver, .rtol, .atol, .fixedSteps, .precision, .adjoint, .adjointBytes]
  static let traceKeys: [Key] = [.trace, .evaluationTrace, .probe, .probes]

  /// What these settings leave without a use, and whose doing that is.
  var unused: [(by: String, keys: [Key])] {
    var unused = [
      (by: "\(objective), this run's objective,", keys: Objective.unused(by: objective)),
      (by: "\(model), this run's model,", keys: modelKind.unused),
    ]
    // Its divergence is 0; a Frobenius norm is by the trace's tangents all the same.
    if modelKind == .hamiltonian, frobenius == 0 { unused[1].keys += Self.traceKeys }
    // Its trace is exact.
    if modelKind == .potential { unused[1].keys += [.probe, .probes] }
    return unused
  }

  func isUnused(_ key: Key) -> Bool { unused.contains { $0.keys.contains(key) } }
}
