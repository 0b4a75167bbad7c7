/// A short program to read. `cnf-examples NAME` runs it.
struct Example: Sendable {
  let name: String
  let summary: String
  let run: @Sendable () throws -> Void

  /// All examples. To add one, write a file with its function and a line here.
  static let all = [
    Example(name: "first", summary: "train a flow, compute densities, draw samples", run: first),
    Example(
      name: "conditional", summary: "train p(x given c), draw samples at a chosen c, find classes by Bayes' rule",
      run: conditionalFlow),
    Example(
      name: "change-of-variables", summary: "a flow forward and back, its trace and its Jacobian's determinant",
      run: changeOfVariables),
    Example(name: "logit", summary: "data between 0 and 1 through the logit", run: logitDensity),
    Example(name: "residual-network", summary: "n shared blocks tend to a neural ODE as 1/n", run: residualNetwork),
    Example(name: "layer", summary: "a neural ODE as a layer of your own model", run: layer),
    Example(name: "regression", summary: "learn where a pendulum is a second later", run: regression),
    Example(
      name: "regularised", summary: "kinetic energy and Frobenius norm in the loss: evaluations with and without them",
      run: regularised),
    Example(name: "classifier", summary: "classify digits by encoder, neural ODE and head", run: classifier),
    Example(
      name: "discrete", summary: "a coupling flow, an affine flow and two continuous flows in a row on the same data",
      run: discrete),
    Example(
      name: "hamiltonian", summary: "learn a pendulum's energy, solve with a symplectic method", run: hamiltonian),
    Example(name: "transport", summary: "train OT-Flow and compare with optimal transport", run: transport),
    Example(name: "diffusion", summary: "train a diffusion model, draw samples in two ways", run: diffusion),
    Example(name: "flow-matching", summary: "train a field without solving the ODE", run: flowMatching),
    Example(name: "architectures", summary: "time layers, Fourier features, norms and dropout", run: architectures),
    Example(name: "closure-field", summary: "train a field that Swift closures compute", run: closureField),
    Example(
      name: "unnormalised", summary: "fit a density known up to a factor, with your own loss",
      run: unnormalisedDensity),
    Example(name: "end-time", summary: "train a flow together with its end time", run: endTime),
  ]
}
