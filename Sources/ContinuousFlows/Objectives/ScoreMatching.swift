/// Denoising score matching: the net is taught the noise in diffused samples, from which the score of every marginal of the
/// diffusion follows; no solve is part of a step (Vincent 2011; Ho, Jain, Abbeel 2020, arXiv 2006.11239; Song et al. 2021, arXiv
/// 2011.13456).
///
/// Minimises the mean of `½ |ε̂(x, s) − ε|² / D` over data, noise and times s, x = m x₀ + σ ε. As the net's own error is
/// `|ε̂ − ε|² = c² |u − (d x₀ − c ε)|²` (see `DiffusionModel`), that is one weighted regression a sample. A sample's time and noise
/// are keyed by (seed, step, identifier).
public struct ScoreMatching: TrainingObjective {
  /// The weight λ(s) of `|∇log p̂ − ∇log p|²`, whose mean over s is minimised.
  public enum Weighting: String, Sendable, CaseIterable {
    /// λ = σ², the paper's: every s of (cutoff, 1) counts alike, in noise.
    case noise
    /// λ = g², which bounds the likelihood (Song, Durkan, Murray, Ermon 2021, arXiv 2101.09258), but for a constant factor. As g²/σ² is
    /// the rate of the log-ratio of noise to signal, s is drawn so that this is uniform, and the weight is 1: their importance
    /// sampling, exactly.
    case likelihood
  }

  private let weighting: Weighting
  private let solver: any FieldSolver<Float>
  private let evaluationSolver: any FieldSolver<Float>

  /// - Parameters:
  ///   - model: the one that will be trained; its parameters do not matter.
  ///   - options: its backend, threads and evaluation solver count; of the training solver nothing else.
  /// - Throws: `TrainingError.invalidOption` for regularisers or a random end time, which are of solves; `KernelError` for a
  ///   refused solver.
  public init(model: DiffusionModel, weighting: Weighting = .noise, options: TrainingOptions) throws {
    try options.refuseRegularisation("beside score matching, which solves nothing")
    try options.refuseEndTimeJitter("beside score matching, which solves nothing")
    self.weighting = weighting
    solver = try makeSolver(
      program: model.program, options: SolverOptions(trace: .none, threads: options.solver.threads),
      backend: options.backend)
    evaluationSolver = try makeSolver(
      program: model.program, options: options.evaluationSolver, backend: options.backend)
  }

  public func gradient(of batch: TrainingBatch, model: DiffusionModel) throws -> BatchGradient {
    let points = points(on: batch, model)
    let problem = SolveProblem(
      parameters: model.parameters, states: points.states, from: 0,
      to: model.process.flowTime(at: DiffusionProcess.likelihoodCutoff), seed: batch.seed, step: UInt64(batch.step),
      sampleIdentifiers: batch.identifiers, startTimes: points.times, dropoutIsActive: true)
    let scale = 1 / Double(batch.count * model.dimension)
    let gradient = try solver.fieldGradient(
      of: .squaredDistance(from: points.targets, weights: points.weights, scale: scale), at: problem)
    return BatchGradient(
      parameters: gradient.parameters, loss: gradient.losses.reduce(0, +), evaluationsMean: 1)
  }

  /// By the probability flow.
  public func evaluate(_ model: DiffusionModel, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try model.probabilityFlow.evaluate(on: dataset, by: evaluationSolver, seed: seed)
  }

  /// Diffused samples y = c x₀ + d ε of a batch, their flow times, what the net should say of them, `d x₀ − c ε`, and the weights c².
  func points(
    on batch: TrainingBatch, _ model: DiffusionModel
  ) -> (states: [Float], times: [Double], targets: [Float], weights: [Double]) {
    let dimension = model.dimension
    let source = RandomSource(seed: batch.seed, stream: .diffusion, step: UInt64(batch.step))
    let start = DiffusionAngle(model.process, at: 1).angle
    var (states, targets) = (batch.states, batch.states)
    var (times, weights) = ([Double](), [Double]())
    for (sample, identifier) in batch.identifiers.enumerated() {
      // The first column is the time's, and those behind its block the noise's.
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

  /// s of a share of [0, 1), by the weighting's distribution.
  private func time(_ share: Double, _ process: DiffusionProcess) -> Double {
    let cutoff = DiffusionProcess.likelihoodCutoff
    switch weighting {
    case .noise: return cutoff + (1 - cutoff) * share
    case .likelihood:
      let (low, high) = (process.logRatio(at: cutoff), process.logRatio(at: 1))
      return process.time(ofLogRatio: low + (high - low) * share)
    }
  }
}
