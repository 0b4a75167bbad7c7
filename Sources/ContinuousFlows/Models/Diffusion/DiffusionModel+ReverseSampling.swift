extension DiffusionModel {
  /// Draws samples by the reverse diffusion from s = 1 to `DiffusionProcess.cutoff`, `[count][D]`.
  ///
  /// Noise is keyed by (seed, step, sample): sample i depends only on `seed`, i, the model and its context, not on
  /// `count` or `threads`. Each step takes one evaluation of the net per sample, two with a corrector.
  ///
  /// - Parameters:
  ///   - threads: nil means as many as the process can use.
  ///   - context: `[count][C]`, for a net that reads a context; nil means none.
  /// - Throws: `SolveFailure` if a sample becomes infinite or NaN; `KernelError` if memory is short. A sampler with a
  ///   `problem` is a precondition failure.
  public func samples(
    count: Int, seed: UInt64, by sampler: ReverseSampler, threads: Int? = nil, backend: Backend = .c,
    context: SampleMatrix? = nil
  ) throws -> SampleMatrix {
    if let problem = sampler.problem { preconditionFailure(problem) }
    probabilityFlow.checkContext(context, count: count)
    let cutoff = DiffusionProcess.cutoff
    let solver = try makeSolver(
      program: program, options: SolverOptions(trace: .none, threads: threads), backend: backend, scalar: Float.self)
    var diffusion = ReverseDiffusion(
      model: self, solver: solver, count: count, seed: seed, context: seenContext(context?.values ?? []))
    let step = (1 - cutoff) / Double(sampler.steps)
    for number in 0..<sampler.steps {
      try diffusion.predict(from: 1 - Double(number) * step, by: step, key: UInt64(2 * number))
      guard let ratio = sampler.signalToNoise else { continue }
      let next = number + 1 == sampler.steps ? cutoff : 1 - Double(number + 1) * step
      try diffusion.correct(at: next, signalToNoise: ratio, key: UInt64(2 * number + 1))
    }
    try SolveFailure.checkFinite(
      diffusion.states, count: count, dimension: dimension, time: process.flowTime(at: cutoff))
    return SampleMatrix(count: count, dimension: dimension, values: transform.inverse(diffusion.states))
  }
}

/// The state of a reverse diffusion from noise to data.
private struct ReverseDiffusion {
  /// x, `[count][D]`.
  private(set) var states: [Float]
  private let model: DiffusionModel
  private let solver: any FieldSolver<Float>
  private let count: Int
  private let seed: UInt64
  private let context: [Float]

  /// Starts at s = 1, from the base of the model's probability flow.
  init(model: DiffusionModel, solver: any FieldSolver<Float>, count: Int, seed: UInt64, context: [Float]) {
    self.model = model
    self.solver = solver
    self.count = count
    self.seed = seed
    self.context = context
    let scale = DiffusionAngle(model.process, at: 1).scale
    states = model.probabilityFlow.baseSamples(count: count, seed: seed).values.map { Float(Double($0) * scale) }
  }

  /// A step of Euler and Maruyama from `s` to s − h. `x − h (f x − g² ∇log p) + g √h ξ` with ∇log p = −ε̂/σ.
  mutating func predict(from s: Double, by h: Double, key: UInt64) throws {
    let process = model.process
    let (drift, diffusion) = (process.drift(at: s), process.diffusion(at: s))
    try move(
      at: s, state: 1 - h * drift, noise: -h * diffusion * diffusion / process.deviation(at: s),
      random: diffusion * h.squareRoot(), key: key)
  }

  /// A step of Langevin at `s`. `x + δ ∇log p + √(2δ) ξ` with δ = 2 (r σ)².
  mutating func correct(at s: Double, signalToNoise: Double, key: UInt64) throws {
    let deviation = model.process.deviation(at: s)
    let length = 2 * signalToNoise * signalToNoise * deviation * deviation
    try move(at: s, state: 1, noise: -length / deviation, random: (2 * length).squareRoot(), key: key)
  }

  /// `x ← state · x + noise · ε̂(x, s) + random · ξ`, with ε̂ = d y − c u(y, t), y = x/n.
  private mutating func move(at s: Double, state: Double, noise: Double, random: Double, key: UInt64) throws {
    let angle = DiffusionAngle(model.process, at: s)
    let time = model.process.flowTime(at: s)
    let problem = SolveProblem(
      parameters: model.parameters, states: states.map { Float(Double($0) / angle.scale) }, from: time, to: time,
      context: context)
    let net = try solver.evaluate(problem).velocities
    let source = RandomSource(seed: seed, stream: .reverseDiffusion, step: key)
    let (kept, pull) = (state + noise * angle.sine / angle.scale, -noise * angle.cosine)
    let dimension = model.dimension
    for sample in 0..<count {
      for column in 0..<dimension {
        let place = sample * dimension + column
        let random = random * source.normal(sample: UInt64(sample), dimension: column)
        states[place] = Float(kept * Double(states[place]) + pull * Double(net[place]) + random)
      }
    }
  }
}
