import ContinuousFlows

extension Settings {
  /// Throws a usage failure where these are not of a model whose field is a gradient.
  func validatePotential() throws {
    guard layer == TimeLayer.input.rawValue, !residual, !layerNorm, dropout == 0, timeFeatures == 0 else {
      throw CommandFailure(
        .usage,
        "model is \(model), whose net is its own: leave layer, residual, layer-norm, dropout and time-features out")
    }
    guard objective == Objective.likelihood else {
      throw CommandFailure(.usage, "model is \(model), which is trained by maximum likelihood: leave objective out")
    }
    guard steer == 0, condition == "none", conditionColumns == 0 else {
      throw CommandFailure(
        .usage,
        "model is \(model), which has no use for steer or a condition: leave steer, condition and condition-columns out"
      )
    }
    try refuseUniformBase()
    do throws(DerivativeError) {
      _ = try HamiltonianArchitecture(hidden: [1], activation: Activation(rawValue: activation) ?? .tanh)
        .program(stateDimension: 2)
    } catch {
      throw CommandFailure(.usage, "activation is \(activation): \(error)")
    }
  }

  /// Throws a usage failure where a setting is given that only another model has a use for.
  func validateModelsOwn() throws {
    guard model == ModelKind.potential.rawValue || (transport == 0 && hjb == 0) else {
      throw CommandFailure(
        .usage, "transport and hjb weigh costs of a potential, and model is \(model): give --model potential with them")
    }
    guard model == ModelKind.hamiltonian.rawValue || !separable else {
      throw CommandFailure(
        .usage, "separable is said of an energy, and model is \(model): give --model hamiltonian with it")
    }
  }
}
