import ContinuousFlows

extension Settings {
  /// Throws a usage failure that names the first setting that cannot be meant, and what it may be.
  func validate() throws {
    try validateNumbers()
    try require(transform, .transform, among: ["none", "standardise", "marginals", "logit"])
    try validateCondition()
    try validateBase()
    try validateOutputs()
    try require(model, .model, among: ModelKind.allCases.map(\.rawValue))
    try validateModelsOwn()
    try require(objective, .objective, among: [Objective.likelihood, Objective.flowMatching, Objective.scoreMatching])
    try require(path, .path, among: Objective.paths.map(\.0))
    try require(coupling, .coupling, among: Objective.couplings.map(\.0))
    try validateScoreMatching()
    try require(activation, .activation, among: Activation.allCases.map(\.rawValue))
    try require(layer, .layer, among: TimeLayer.allCases.map(\.rawValue))
    guard timeFeatures == 0 || [.input, .concat, .squash, .concatsquash].contains(TimeLayer(rawValue: layer)) else {
      throw CommandFailure(
        .usage,
        "time-features are for layers that see rows of the time, and \(layer) takes none: leave --time-features out")
    }
    guard hyperUnits == 0 || layer == TimeLayer.hyper.rawValue else {
      throw CommandFailure(
        .usage, "hyper-units are of layer hyper, and layer is \(layer): give --layer hyper with --hyper-units")
    }
    try require(probe, .probe, among: Probe.allCases.map(\.rawValue))
    try require(schedule, .schedule, among: ["constant", "cosine"])
    try require(optimiser, .optimiser, among: ["adam", "adamw"])
    try require(backend, .backend, among: Backend.allCases.map(\.rawValue))
    try validateAdjoint()
    try require(precision, .precision, among: Precision.allCases.map(\.rawValue))
    try require(norm, .norm, among: ErrorNorm.allCases.map(\.rawValue))
    if StepController(controller) == nil {
      let isTriple = controller.hasPrefix("pid:")
      let mend =
        isTriple
        ? "write three numbers with commas between them, the second above 0, such as pid:0.3,0.4,0.1"
        : Suggestion.sentence(for: controller, among: SolverFlags.controllers)
      throw CommandFailure(
        .usage, "controller '\(controller)' is not \(isTriple ? "a controller" : "known"): \(mend)")
    }
    let traces = Trace.allCases.filter { $0 != .none }.map(\.rawValue)
    try require(trace, .trace, among: traces)
    try require(evaluationTrace, .evaluationTrace, among: traces)
    guard frobenius == 0 || trace != Trace.exactProduct.rawValue else {
      throw CommandFailure(
        .usage, "frobenius needs the tangents of a trace, and exactProduct takes none: give --trace automatic with it")
    }
    try validateMethods()
    try validateRosenbrock(
      .evaluationSolver, evaluationSolver, trace: evaluationTrace, precision: Precision.full.rawValue)
  }

  /// A gibibyte of weights: training holds some six times that, beyond which machines of the present swap.
  static let mostParameters = 1 << 28

  /// Throws a usage failure where a flow of `dimension`, or one of so many parts like it, would have more parameters than can be
  /// meant.
  func validateSize(dimension: Int, contextDimension: Int = 0, parts: Int = 1) throws {
    var architecture = architecture
    architecture.contextDimension = contextDimension
    let count = parts * architecture.program(stateDimension: dimension).parameterCount
    guard count > Self.mostParameters else { return }
    throw CommandFailure(
      .usage,
      "hidden is \(hidden), which for data of \(dimension) columns makes \(count) parameters of "
        + "\(count * MemoryLayout<Float>.size) bytes, must be at most \(Self.mostParameters): take fewer or "
        + "narrower layers")
  }

  private func validateNumbers() throws {
    try require(hidden.allSatisfy { 1...65_536 ~= $0 }, .hidden, "\(hidden)", "widths from 1 to 65536")
    try require(1...1024 ~= blocks, .blocks, "\(blocks)", "from 1 to 1024")
    try require(1...1024 ~= depth, .depth, "\(depth)", "from 1 to 1024")
    try require((0..<1).contains(dropout), .dropout, "\(dropout)", "below 1, such as 0.1, or 0 for none")
    try require(0...4096 ~= timeFeatures, .timeFeatures, "\(timeFeatures)", "from 1 to 4096, or 0 for none")
    try require(0...1024 ~= hyperUnits, .hyperUnits, "\(hyperUnits)", "from 1 to 1024, or 0 for none")
    try require(count >= 4 && count < 1 << 32, .count, "\(count)", "at least 4 and below 2^32")
    try require(1...4096 ~= probes, .probes, "\(probes)", "from 1 to 4096")
    try require(solverMaxSteps > 0 && solverMaxSteps <= 1 << 24, .solverMaxSteps, "\(solverMaxSteps)", "from 1 to 2^24")
    for (value, key) in [(fixedSteps, Key.fixedSteps), (evaluationFixedSteps, .evaluationFixedSteps)] {
      try require(0...1_000_000 ~= value, key, "\(value)", "from 1 to 1000000, or 0 for adaptive steps")
    }
    for (value, key) in [
      (batchSize, Key.batchSize), (validationInterval, .validationInterval), (checkpointInterval, .checkpointInterval),
    ] {
      try require(value > 0 && value < 1 << 31, key, "\(value)", "a positive whole number")
    }
    for (value, key) in [(steps, Key.steps), (warmupSteps, .warmupSteps), (patience, .patience)] {
      try require(value >= 0, key, "\(value)", "a positive whole number, or 0 for none")
    }
    try require(0...4096 ~= threads, .threads, "\(threads)", "from 1 to 4096, or 0 for all there are")
    for (value, key) in [
      (rtol, Key.rtol), (atol, .atol), (evaluationRtol, .evaluationRtol), (evaluationAtol, .evaluationAtol),
    ] {
      try require(value > 0 && value.isFinite, key, "\(value)", "a positive number such as 1e-5")
    }
    for (value, key) in [(endTime, Key.endTime), (learningRate, .learningRate)] {
      try require(value > 0 && value.isFinite, key, "\(value)", "a positive number")
    }
    for (value, key) in [
      (seconds, Key.seconds), (weightDecay, .weightDecay), (clipNorm, .clipNorm), (kinetic, .kinetic),
      (frobenius, .frobenius), (transport, .transport), (hjb, .hjb),
    ] {
      try require(value >= 0 && value.isFinite, key, "\(value)", "a positive number, or 0 for none")
    }
    try require(
      (0..<1).contains(averageDecay), .averageDecay, "\(averageDecay)", "below 1, such as 0.999, or 0 for none")
    try require((0..<endTime).contains(steer), .steer, "\(steer)", "below end-time, \(endTime), or 0 for none")
    guard steps > 0 || seconds > 0 else {
      throw CommandFailure(.usage, "training would never end: give --steps N or --seconds S")
    }
  }

  private func validateCondition() throws {
    try require(condition, .condition, among: ["none", Self.labels])
    try require(
      0...65_536 ~= conditionColumns, .conditionColumns, "\(conditionColumns)", "from 1 to 65536, or 0 for none")
    guard condition == "none" || conditionColumns == 0 else {
      throw CommandFailure(
        .usage, "condition and condition-columns exclude each other: condition on labels or on columns")
    }
    try require(
      logitAlpha >= 0 && logitAlpha < 0.5, .logitAlpha, "\(logitAlpha)", "above 0 and below 0.5, or 0 for the default")
    guard logitAlpha == 0 || transform == "logit" else {
      throw CommandFailure(.usage, "logit-alpha is for --transform logit, not for \(transform): leave it out")
    }
  }

  /// Words of the base beside `mixture:K`.
  private static let bases = ["standard-normal", "gaussian", "full-gaussian", "uniform"]

  /// K of a base `mixture:K`; nil for another.
  var mixtureComponents: Int? {
    guard base.hasPrefix("mixture:") else { return nil }
    return Int(base.dropFirst("mixture:".count)) ?? 0
  }

  private func validateBase() throws {
    guard let components = mixtureComponents else {
      return try require(base, .base, among: Self.bases + (base.hasPrefix("mix") ? ["mixture:8"] : []))
    }
    try require(1...1000 ~= components, .base, base, "mixture:K with K from 1 to 1000, such as mixture:8")
  }

  private func require(_ isMet: Bool, _ key: Key, _ value: String, _ allowed: String) throws {
    guard isMet else { throw CommandFailure(.usage, "\(key.rawValue) is \(value), must be \(allowed)") }
  }

  func require(_ word: String, _ key: Key, among words: [String]) throws {
    guard words.contains(word) else {
      throw CommandFailure(
        .usage, "\(key.rawValue) '\(word)' is not known: \(Suggestion.sentence(for: word, among: words))")
    }
  }
}
