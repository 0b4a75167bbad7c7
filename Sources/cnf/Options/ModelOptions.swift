import ArgumentParser
import ContinuousFlows

/// What the flow's field is.
struct ModelOptions: ParsableArguments {
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
    parsing: .unconditional,
    help: ArgumentHelp("The time T at which the flow reaches the data (default 1).", valueName: "time"))
  var endTime: Double?

  @Option(
    help: ArgumentHelp(
      "What the flow begins with: standard-normal (default), or a distribution fitted to the training data: gaussian, "
        + "full-gaussian, mixture:K of K Gaussians.", valueName: "name"))
  var base: String?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([.hidden: hidden?.widths, .activation: activation, .endTime: endTime, .base: base])
    }
  }
}
