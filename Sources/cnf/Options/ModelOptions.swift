import ArgumentParser
import ContinuousFlows

/// What is trained.
struct ModelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("What is trained: \(ModelKind.words) (default flow).", valueName: "name"))
  var model: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Continuous flows in a row, each with a field of its own, of --model stacked, which more than one makes of a flow "
        + "(default 2).",
      valueName: "count"))
  var blocks: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Layers of --model coupling (default 10).", valueName: "count"))
  var depth: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Widths of the hidden layers, such as 64,64,64; none for no hidden layer.", valueName: "widths"))
  var hidden: LayerWidths?

  @Option(
    help: ArgumentHelp(
      "Activation of the hidden layers: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var activation: String?

  @Option(
    help: ArgumentHelp(
      "How layers see the time: \(TimeLayer.allCases.map(\.rawValue).joined(separator: ", ")) (default input: the first layer "
        + "alone, beside the state; the others are FFJORD's).",
      valueName: "name"))
  var layer: String?

  @Flag(inversion: .prefixedNo, help: "Add a hidden layer's input to its result where both are as wide.")
  var residual: Bool?

  @Flag(inversion: .prefixedNo, help: "A layer norm before every activation.")
  var layerNorm: Bool?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Rate at which hidden rows are dropped in training, one mask for each solve (default 0).", valueName: "rate"))
  var dropout: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Frequencies of Fourier features of the time, learned, that layers see in its place (default 0: none).",
      valueName: "count"))
  var timeFeatures: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of layer hyper: tanh units of the net that makes weights of the time (default 0: weights affine in the time).",
      valueName: "count"))
  var hyperUnits: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Of model hamiltonian: an energy T(p) + V(q), for which --solver leapfrog and yoshida4 are symplectic.")
  var separable: Bool?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The time T at which the flow reaches the data (default 1).", valueName: "time"))
  var endTime: Double?

  @Option(
    help: ArgumentHelp(
      "What the flow begins with: standard-normal (default), or a distribution fitted to the training data: gaussian, "
        + "full-gaussian, mixture:K of K Gaussians, or for --objective flow-matching uniform.", valueName: "name"))
  var base: String?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .model: model, .blocks: blocks, .depth: depth, .hidden: hidden?.widths, .activation: activation, .layer: layer,
        .residual: residual,
        .layerNorm: layerNorm,
        .dropout: dropout, .timeFeatures: timeFeatures, .hyperUnits: hyperUnits, .separable: separable,
        .endTime: endTime, .base: base,
      ])
    }
  }
}
