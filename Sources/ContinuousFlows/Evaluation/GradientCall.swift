import NeuralODE

/// The loss of a gradient check as the solver differentiates it, with all samples in one call.
struct GradientCall {
  let program: FieldProgram
  /// The base of the flow.
  let base: BaseDistribution
  var options: SolverOptions
  let regularisation: Regularisation
  let backend: Backend
  let seed: UInt64

  /// The same call with the continuous adjoint.
  var continuous: GradientCall {
    var call = self
    call.options.adjoint = .continuous()
    return call
  }

  /// The same call with finer steps: four times as many, or with tolerances a thousandth as large but at least 1e-11,
  /// where rounding becomes visible in a step's error.
  var refined: GradientCall {
    func finer(_ tolerance: Double) -> Double { min(tolerance, max(tolerance / 1000, 1e-11)) }
    var call = self
    switch options.control {
    case .fixed(let steps): call.options.control = .fixed(steps: 4 * steps)
    case .perSample(let rtol, let atol): call.options.control = .perSample(rtol: finer(rtol), atol: finer(atol))
    case .batch(let rtol, let atol): call.options.control = .batch(rtol: finer(rtol), atol: finer(atol))
    }
    return call
  }

  /// The larger of the two tolerances of adaptive steps; 0 for fixed steps.
  var tolerance: Double {
    switch options.control {
    case .fixed: 0
    case .perSample(let rtol, let atol), .batch(let rtol, let atol): max(rtol, atol)
    }
  }

  /// The loss whose sum over `count` samples is their mean, and its regularisation.
  func loss(ofMeanOver count: Int) -> (Loss<Double>, Regularisation) {
    let scale = 1 / Double(count)
    return (
      base.negativeLogLikelihood(dimension: program.stateDimension, scale: scale),
      base.regularisation(regularisation, scale: scale)
    )
  }

  func gradient(at point: GradientPoint) throws -> GradientPoint {
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Double.self)
    let count = point.states.count / program.stateDimension
    let (loss, added) = loss(ofMeanOver: count)
    let gradient = try solver.gradient(of: loss, regularisation: added, at: problem(point, 0..<count))
    try SolveFailure.check(gradient.solution)
    return GradientPoint(
      parameters: gradient.parameters, states: gradient.states, startTime: gradient.startTimes.reduce(0, +),
      endTime: gradient.endTimes.reduce(0, +), context: gradient.context)
  }

  /// A problem with some of the samples, each with its identifier among all.
  func problem(
    _ point: GradientPoint, _ samples: Range<Int>, fractions: [Double]? = nil
  ) -> SolveProblem<Double> {
    let (dimension, columns) = (program.stateDimension, program.contextDimension)
    return SolveProblem(
      parameters: point.parameters,
      states: Array(point.states[samples.lowerBound * dimension..<samples.upperBound * dimension]),
      from: point.startTime, to: point.endTime, seed: seed, sampleIdentifiers: samples.map { UInt64($0) },
      stepFractions: fractions,
      context: Array(point.context[samples.lowerBound * columns..<samples.upperBound * columns]))
  }

  /// The ends of each sample's steps as fractions of its interval, and the trace that the solver chose.
  func stepFractions(at point: GradientPoint) throws -> (fractions: [[Double]], trace: Trace) {
    let all = problem(point, 0..<point.states.count / program.stateDimension)
    let solver = try makeSolver(program: program, options: options, backend: backend, scalar: Double.self)
    try SolveFailure.check(try solver.solve(all))
    return (try solver.acceptedStepFractions(all), solver.resolvedTrace)
  }
}
