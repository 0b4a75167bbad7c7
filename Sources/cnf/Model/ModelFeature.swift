/// What a model kind may have: the reason why a setting has an effect for it. A kind's file lists its features; a
/// setting's declaration names the one it belongs to.
enum ModelFeature: Sendable {
  /// A net with hidden layers.
  case hiddenLayers
  /// A net of state and time whose layers can be chosen: a field that is not a gradient.
  case freeField
  /// Layers of a coupling flow.
  case couplingLayers
  /// Continuous flows in a row.
  case blocks
  /// An energy that can be separable.
  case energy
  /// A potential with its transport costs.
  case transportCosts
  /// An end time T of its own.
  case endTime
  /// A distribution at t = 0.
  case base
  /// A context: p(x|c).
  case context
  /// Outputs, such as classes or targets.
  case outputs
  /// Residual blocks instead of a solver.
  case residualBlocks
  /// Solves by a method with steps.
  case solver
  /// A gradient through steps, of a solver or of residual blocks.
  case stepGradient
  /// A divergence that is integrated.
  case divergence
  /// A divergence that may be estimated with random probes.
  case probes
  /// Penalties on the solve: kinetic energy and Frobenius norm.
  case penalties
  /// An end time that can be drawn at random in training.
  case randomEndTime
}
