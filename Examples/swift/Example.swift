/// A short use of the library, for reading; the program `cnf-examples` runs it by name.
struct Example: Sendable {
  let name: String
  let summary: String
  let run: @Sendable () throws -> Void

  /// All of them. A new one is a file with a function, and a line here.
  static let all = [
    Example(name: "first", summary: "fit a flow to points, evaluate densities, draw samples", run: first),
    Example(name: "conditional", summary: "fit p(x|c), draw at a c of choice, find classes by Bayes' rule", run: conditionalFlow),
    Example(
      name: "change-of-variables", summary: "a flow forward and back, its trace beside its Jacobian's determinant",
      run: changeOfVariables),
    Example(name: "logit", summary: "data between 0 and 1 through the logit", run: logitDensity),
    Example(name: "residual-network", summary: "n shared blocks tend to a neural ODE as 1/n", run: residualNetwork),
    Example(name: "layer", summary: "a neural ODE as a layer of a model of one's own", run: layer),
    Example(name: "regression", summary: "learn where a pendulum is a second later", run: regression),
    Example(
      name: "regularised", summary: "kinetic energy and Frobenius norm in the loss, evaluations with and without",
      run: regularised),
    Example(name: "classifier", summary: "digits by encoder, neural ODE and head", run: classifier),
    Example(
      name: "discrete", summary: "a coupling flow, an affine flow and two continuous blocks on the same points",
      run: discrete),
    Example(name: "hamiltonian", summary: "learn a pendulum's energy, follow it symplectically", run: hamiltonian),
    Example(name: "transport", summary: "fit OT-Flow, compare with optimal transport", run: transport),
    Example(name: "diffusion", summary: "train a diffusion model, draw from it in two ways", run: diffusion),
    Example(name: "flow-matching", summary: "teach a field the way to the data without a solve", run: flowMatching),
    Example(name: "architectures", summary: "time layers, Fourier features, norms and dropout", run: architectures),
    Example(name: "closure-field", summary: "train a field of one's own, given by closures", run: closureField),
    Example(
      name: "unnormalised", summary: "fit a density known but for a factor, by a loss of one's own",
      run: unnormalisedDensity),
    Example(name: "end-time", summary: "train a flow's end time beside its field", run: endTime),
  ]
}
