/// Denoising score matching: the net learns the noise in diffused samples, which gives the score of every marginal of
/// the diffusion. No step needs a solve (Vincent 2011; Ho, Jain, Abbeel 2020, arXiv 2006.11239; Song et al. 2021, arXiv
/// 2011.13456).
///
/// Minimises the mean of `½ |ε̂(x, s) − ε|² / D` over data, noise and times s, with x = m x₀ + σ ε. In terms of the
/// net's error, `|ε̂ − ε|² = c² |u − (d x₀ − c ε)|²` (see `DiffusionModel`), so this is one weighted regression per
/// sample. A sample's time and noise are keyed by (seed, step, identifier).
public struct ScoreMatching: TrainingObjective {
  /// The weight λ(s) of `|∇log p̂ − ∇log p|²` in the loss.
  public enum Weighting: String, Sendable, CaseIterable {
    /// λ = σ², as in the paper: every s in (cutoff, 1) has the same weight in terms of noise.
    case noise
    /// λ = g², which bounds the likelihood up to a constant factor (Song, Durkan, Murray, Ermon 2021, arXiv
    /// 2101.09258). g²/σ² is the rate of the log-ratio of noise to signal. s is drawn so that this ratio is uniform,
    /// and the weight is 1: exactly their importance sampling.
    case likelihood
  }

  private let weighting: Weighting
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - model: the model that will be trained; its parameter values are not used.
  ///   - options: its backend, threads and evaluation solver are used; nothing else of the training solver is.
  /// - Throws: `TrainingError.invalidOption` for regularisers or a random end time, which need solves; `KernelError`
  ///   for a refused solver.
  public init(model: DiffusionModel, weighting: Weighting = .noise, options: TrainingOptions) throws {
    try options.refuseRegularisation("with score matching, which solves nothing")
    try options.refuseEndTimeJitter("with score matching, which solves nothing")
    self.weighting = weighting
    solver = try makeSolver(
      program: model.program, options: SolverOptions(trace: .none, threads: options.solver.threads),
      backend: options.backend)
    evaluationSolver = try makeSolver(
      program: model.program, options: options.evaluationSolver, backend: options.backend)
  }

  public func gradient(of batch: TrainingBatch, model: DiffusionModel) throws -> BatchGradient {
    let samples = diffusedSamples(on: batch, model)
    let problem = SolveProblem(
      parameters: model.parameters, states: samples.states, from: 0,
      to: model.process.flowTime(at: DiffusionProcess.cutoff), seed: batch.seed, step: UInt64(batch.step),
      sampleIdentifiers: batch.identifiers, startTimes: samples.times, dropoutIsActive: true)
    let scale = 1 / Double(batch.count * model.dimension)
    let gradient = try solver.fieldGradient(
      of: .squaredDistance(from: samples.targets, weights: samples.weights, scale: scale), at: problem)
    return BatchGradient(
      parameters: gradient.parameters, loss: gradient.losses.reduce(0, +), evaluationsMean: 1)
  }

  /// The NLL by the probability flow.
  public func evaluate(_ model: DiffusionModel, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.probabilityFlow.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }

  /// Diffused samples y = c x₀ + d ε of a batch, their flow times, the values that the net should predict, `d x₀ − c
  /// ε`, and the weights c².
  func diffusedSamples(
    on batch: TrainingBatch, _ model: DiffusionModel
  ) -> (states: [Float], times: [Double], targets: [Float], weights: [Double]) {
    let dimension = model.dimension
    let source = RandomSource(seed: batch.seed, stream: .diffusion, step: UInt64(batch.step))
    let start = DiffusionAngle(model.process, at: 1).angle
    var (states, targets) = (batch.states, batch.states)
    var (times, weights) = ([Double](), [Double]())
    for (sample, identifier) in batch.identifiers.enumerated() {
      // Random column 0 gives the time; the columns after its block of four give the noise.
      let share = source.uniform(sample: identifier, dimension: 0)
      let angle = DiffusionAngle(model.process, at: time(share, model.process))
      for column in 0..<dimension {
        let place = sample * dimension + column
        let (x, noise) = (Double(batch.states[place]), source.normal(sample: identifier, dimension: 4 + column))
        states[place] = Float(angle.cosine * x + angle.sine * noise)
        targets[place] = Float(angle.sine * x - angle.cosine * noise)
      }
      times.append(start - angle.angle)
      weights.append(angle.cosine * angle.cosine)
    }
    return (states, times, targets, weights)
  }

  /// The s at a fraction in [0, 1) of the weighting's distribution.
  private func time(_ share: Double, _ process: DiffusionProcess) -> Double {
    let cutoff = DiffusionProcess.cutoff
    switch weighting {
    case .noise: return cutoff + (1 - cutoff) * share
    case .likelihood:
      let (low, high) = (process.logRatio(at: cutoff), process.logRatio(at: 1))
      return process.time(ofLogRatio: low + (high - low) * share)
    }
  }
}
