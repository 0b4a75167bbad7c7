import ArgumentParser
import ContinuousFlows

/// How a diffusion model is sampled.
struct SamplerFlags: ParsableArguments {
  private static let ordinary = "ode"
  private static let words = [ordinary, "euler-maruyama", "predictor-corrector"]
  private static let mostSteps = 1_000_000

  @Option(
    help: ArgumentHelp(
      "ode: the probability flow by the solver (default); or the reverse diffusion: euler-maruyama, or predictor-corrector, with "
        + "a step of Langevin after each.", valueName: "name"))
  var sampler: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps of the reverse diffusion (default 1000).", valueName: "count"))
  var samplerSteps: Int?

  /// Throws a usage failure for what no model could do. (`validate` is the parser's, and would have its failures told in its words.)
  func check() throws {
    if let sampler, !Self.words.contains(sampler) {
      throw CommandFailure(
        .usage, "sampler '\(sampler)' is not known: \(Suggestion.sentence(for: sampler, among: Self.words))")
    }
    guard let samplerSteps else { return }
    guard 1...Self.mostSteps ~= samplerSteps else {
      throw CommandFailure(.usage, "sampler-steps is \(samplerSteps), must be from 1 to \(Self.mostSteps)")
    }
    guard reverseSampler != nil else {
      throw CommandFailure(
        .usage, "sampler-steps is for euler-maruyama and predictor-corrector: name one of them with --sampler")
    }
  }

  /// Samples by the reverse diffusion; nil where the way asked for is every model's.
  func samples(of run: TrainedRun, count: Int, seed: UInt64, options: SolverOptions) throws -> SampleMatrix? {
    guard let sampler else { return nil }
    guard let model = run.model as? DiffusionModel else {
      throw CommandFailure(
        .usage, "sampler is \(sampler), for diffusion models, and \(run.path) holds another model: leave --sampler out")
    }
    guard let reverseSampler else { return nil }
    return try model.samples(
      count: count, seed: seed, by: reverseSampler, threads: options.threads, backend: run.settings.backendChoice)
  }

  /// nil: the probability flow.
  private var reverseSampler: ReverseSampler? {
    switch sampler {
    case "euler-maruyama": .eulerMaruyama(steps: samplerSteps ?? 1000)
    case "predictor-corrector": .predictorCorrector(steps: samplerSteps ?? 1000)
    default: nil
    }
  }
}
