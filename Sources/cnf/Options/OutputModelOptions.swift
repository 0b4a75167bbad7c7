import ArgumentParser

/// What models with outputs have beside a field: dense layers on both sides, zeros, and what they are to give.
struct OutputModelOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Columns at the end of a data file that are no data: of a classifier 1, the class (0, 1, …); of a regression K targets.",
      valueName: "count"))
  var targets: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Zeros that the state begins with behind the data or the encoder's outputs.", valueName: "count")
  )
  var augment: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Widths of the dense layers between data and state; none: the state begins with the data.", valueName: "widths"))
  var encoder: LayerWidths?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Widths of hidden layers between state and outputs; none: one linear layer.", valueName: "widths"))
  var head: LayerWidths?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Blocks of a residual network, which share their weights (default 8).", valueName: "count"))
  var residualSteps: Int?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .targets: targets, .augment: augment, .encoder: encoder?.widths, .head: head?.widths,
        .residualSteps: residualSteps,
      ])
    }
  }
}
