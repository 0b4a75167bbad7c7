import ArgumentParser
import ContinuousFlows

/// How to sample a diffusion model.
struct SamplerFlags: ParsableArguments {
  private static let ordinary = "ode"
  private static let words = [ordinary, "euler-maruyama", "predictor-corrector"]
  private static let mostSteps = 1_000_000

  @Option(
    help: ArgumentHelp(
      "ode: solve the probability flow (default), which draws from the density that logprob reports. euler-maruyama: simulate "
        + "the reverse diffusion. predictor-corrector: the same with a Langevin step after each step. The last two draw from "
        + "that density as far as the net's score is exact and steps are short.", valueName: "name"))
  var sampler: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Number of steps of the reverse diffusion (default: 1000).", valueName: "count"))
  var samplerSteps: Int?

  /// Throws a usage failure for flags that are wrong for every model. (The parser's `validate` would change the
  /// messages.)
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

  /// Samples by the reverse diffusion; nil: the sampler asked for is that of every model.
  func samples(of run: TrainedRun, count: Int, seed: UInt64, options: SolverOptions) throws -> SampleMatrix? {
    guard let sampler else { return nil }
    guard let model = run.model as? DiffusionModel else {
      throw CommandFailure(
        .usage, "sampler is \(sampler), for diffusion models, and \(run.path) holds another model: leave --sampler out")
    }
    guard let reverseSampler else { return nil }
    return try model.samples(
      count: count, seed: seed, by: reverseSampler, threads: options.threads, backend: run.settings.backend)
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
