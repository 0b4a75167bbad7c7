import FlowIO

/// Writes reports to a run folder: `metrics.jsonl`, and the same values as TensorBoard curves.
struct RunRecorder {
  private let metrics: MetricsLog
  private let events: EventFileWriter

  /// - Parameter step: steps taken so far; lines of later steps, left by an interrupted run, are removed.
  init(folder: RunFolder, resumingAt step: Int) throws {
    metrics = try MetricsLog(path: folder.metricsPath)
    try metrics.truncate(afterStep: step)
    events = try EventFileWriter(directory: folder.path, firstStep: step == 0 ? nil : step + 1)
  }

  func record(_ report: StepReport) throws {
    var curves = [
      ("loss", report.loss), ("learning_rate", report.learningRate), ("gradient_norm", report.gradientNorm),
      ("evaluations_mean", report.evaluationsMean),
    ]
    if let nll = report.nllNats { curves.append(("nll_nats", nll)) }
    if let energy = report.kineticEnergy { curves.append(("kinetic_energy", energy)) }
    if let norm = report.frobeniusNorm { curves.append(("frobenius_norm", norm)) }
    let start: [(key: String, value: JSONValue)] = [
      ("kind", "step"), ("step", .integer(report.step)), ("seconds", .number(report.seconds)),
    ]
    try metrics.append(.object(start + curves.map { ($0.0, .number($0.1)) }))
    for (name, value) in curves { try events.scalar("training/\(name)", value, step: report.step) }
  }

  func record(_ report: ValidationReport) throws {
    let result = report.result
    var members: [(key: String, value: JSONValue)] = [
      ("kind", "validation"), ("step", .integer(report.step)), ("seconds", .number(report.seconds)),
      ("nll_nats", .number(result.nllNats)), ("nll_stderr", .number(result.nllStandardError)),
      ("bits_per_dim", .number(result.bitsPerDimension)), ("evaluations_mean", .number(result.evaluationsMean)),
      ("evaluations_max", .integer(result.evaluationsMaximum)), ("failed", .integer(result.failed)),
      ("is_best", .boolean(report.isBest)),
    ]
    for (name, value) in [("accuracy", result.accuracy), ("mean_squared_error", result.meanSquaredError)] {
      guard let value else { continue }
      members.append((name, .number(value)))
      try events.scalar("validation/\(name)", value, step: report.step)
    }
    try metrics.append(.object(members))
    try events.scalar("validation/nll_nats", result.nllNats, step: report.step)
    try events.scalar("validation/bits_per_dim", result.bitsPerDimension, step: report.step)
    try events.scalar("validation/evaluations_mean", result.evaluationsMean, step: report.step)
  }

  /// Call this before writing a checkpoint, so that everything up to it is on disk.
  func flush() throws {
    try metrics.synchronize()
    try events.flush()
  }
}
