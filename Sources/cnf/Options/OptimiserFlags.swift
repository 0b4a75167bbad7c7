import ArgumentParser

/// How weights are found.
struct OptimiserFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "likelihood: maximum likelihood, by solves (default); flow-matching: the field learns the rates of change of paths "
        + "from the base to the data, which takes one evaluation a step and sample; or score-matching, as cheap, which trains a "
        + "diffusion model.", valueName: "name"))
  var objective: String?

  @Option(
    help: ArgumentHelp(
      "Of flow matching: \(Objective.paths.map(\.0).joined(separator: ", ")).", valueName: "name"))
  var path: String?

  @Option(
    help: ArgumentHelp(
      "Of flow matching, which sample of the base is led to which of the data: independent, or optimal-transport within "
        + "each batch.", valueName: "name"))
  var coupling: String?

  @Option(
    help: ArgumentHelp(
      "Of score matching, the diffusion: \(Objective.processes.map(\.0).joined(separator: ", ")) (default vp).",
      valueName: "name"))
  var process: String?

  @Option(
    help: ArgumentHelp(
      "Of score matching: noise, which counts every time of the diffusion alike (default), or likelihood, which bounds it.",
      valueName: "name"))
  var weighting: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "End after so many steps of the run; without --seconds, it can be repeated bit for bit.", valueName: "count"))
  var steps: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("End after so many seconds of the run.", valueName: "number"))
  var seconds: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("Samples per step.", valueName: "count"))
  var batchSize: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Learning rate.", valueName: "number"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "Course of the learning rate: constant, or cosine down to 0 at the run's end.", valueName: "name"))
  var schedule: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps over which the learning rate rises at first.", valueName: "count"))
  var warmupSteps: Int?

  @Option(help: ArgumentHelp("adam or adamw.", valueName: "name"))
  var optimiser: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Weight decay; 0 for none.", valueName: "number"))
  var weightDecay: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Add this much of the flow's kinetic energy to the loss, for straighter flows, such as 0.01; 0 for none.",
      valueName: "number"))
  var kinetic: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Add this much of its Jacobian's Frobenius norm, such as 0.01, which takes tangents for the trace; 0 for none.",
      valueName: "number"))
  var frobenius: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "STEER: each step's solves end at a time drawn from -number to number in place of 0, such as 0.25; 0 for none.",
      valueName: "number"))
  var steer: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of model potential: add this much of the transport cost, the integral of half the squared speed (default 0.01).",
      valueName: "number"))
  var transport: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of model potential: add this much of what it misses of the Hamilton-Jacobi-Bellman equation (default 0.15).",
      valueName: "number"))
  var hjb: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Shorten longer gradients to this norm; 0 for never.", valueName: "number"))
  var clipNorm: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Decay of the weights' moving average, such as 0.999; 0 for none.", valueName: "number"))
  var averageDecay: Double?

  @Option(
    help: ArgumentHelp(
      "full, or mixed: derivatives are multiplied in bfloat16, which is faster with the instruction set avx512bf16.",
      valueName: "name"))
  var precision: String?

  @Option(
    help: ArgumentHelp(
      "every-step: the exact gradient of the steps taken; the same from fewer states held: every-8 and the like, binomial, "
        + "automatic; continuous: of the flow, solved backward, keeping nothing; or reversible: of the steps taken, keeping "
        + "nothing, with --solver reversible_heun.",
      valueName: "name"))
  var adjoint: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Memory of a thread for the states that binomial and automatic hold; 0 for 16 MiB, or a quarter of the machine's.",
      valueName: "bytes"))
  var adjointBytes: Int?

  var settings: SettingsLayer {
    get throws {
      try SettingsLayer([
        .objective: objective, .path: path, .coupling: coupling, .process: process, .weighting: weighting,
        .steps: steps, .seconds: seconds, .batchSize: batchSize, .learningRate: learningRate, .schedule: schedule,
        .warmupSteps: warmupSteps, .optimiser: optimiser, .weightDecay: weightDecay, .kinetic: kinetic,
        .frobenius: frobenius, .steer: steer, .transport: transport, .hjb: hjb, .clipNorm: clipNorm,
        .averageDecay: averageDecay,
        .precision: precision, .adjoint: adjoint, .adjointBytes: adjointBytes,
      ])
    }
  }
}
