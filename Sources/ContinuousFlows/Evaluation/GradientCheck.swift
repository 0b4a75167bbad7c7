/// The gradient of a flow's mean negative log-density beside central differences of it, in Double: whether it is its derivative.
///
/// A gradient is compared along directions: its own, for each group of numbers, where the derivative is the gradient's length;
/// and one drawn at random over all parameters, which sees what lies beside it. The discrete gradient is that of the steps that
/// were taken, so differences are too: each sample's steps are found once, and repeated at the same fractions of its interval.
public struct GradientCheck: Sendable {
  /// One direction's derivative, as the gradient has it and as differences have it.
  public struct Row: Sendable {
    /// "net.0.weight", "states", "start time", …
    public let name: String
    /// Numbers that vary along the direction.
    public let count: Int
    public let gradient: Double
    public let differences: Double
    /// |gradient − differences| over the larger of the two sizes; 0 where both are 0, infinite where one is not finite.
    public var relativeError: Double {
      let size = max(abs(gradient), abs(differences))
      let error = size == 0 ? 0 : abs(gradient - differences) / size
      return error.isFinite ? error : .infinity
    }
  }

  public let rows: [Row]
  public let sampleCount: Int
  /// Of the solver: what `automatic` came to.
  public let trace: Trace
  public var worstError: Double { rows.map(\.relativeError).max() ?? 0 }

  /// What relative errors stay below for a gradient that is right. Differences of fourth order with h = 1e-3 are off by h⁴ of a
  /// fifth derivative, 1e-12 of sizes, and by a rounding of 2⁻⁵³/h = 1e-13, both some hundred times larger for a long solve;
  /// the rest is room for a direction along which the loss hardly changes.
  public static let tolerance = 1e-7

  /// - Parameters:
  ///   - samples: `[count][D]`, in the data's own units; some are enough, since each is solved some hundred times.
  ///   - options: of the solver; precision is full, and the adjoint discrete: differences repeat its steps.
  /// - Throws: `KernelError` for a refused option; `SolveFailure` where a sample does not arrive.
  public init(
    of flow: ContinuousFlow, at samples: SampleMatrix, options: SolverOptions, backend: Backend = .c, seed: UInt64 = 0
  ) throws {
    var options = options
    options.precision = .full
    options.adjoint = .everyStep
    let point = Point(
      parameters: flow.parameters.map(Double.init), states: flow.latentStates(of: samples).map(Double.init),
      startTime: flow.endTime, endTime: 0)
    let frozen = try FrozenSteps(flow.program, point, options: options, backend: backend, seed: seed)
    let gradient = try frozen.gradient(at: point)
    var rows: [Row] = []
    func compare(_ name: String, _ direction: Point, count: Int) throws {
      rows.append(
        Row(
          name: name, count: count, gradient: gradient.dot(direction),
          differences: try frozen.derivative(at: point, along: direction)))
    }
    for entry in ParameterNames(of: flow.program).entries {
      let direction = gradient.restricted(toParameters: entry.offset..<entry.offset + entry.count)
      try compare(entry.name, direction, count: entry.count)
    }
    try compare(
      "a random direction", gradient.withRandomParameters(seed: seed), count: point.parameters.count)
    try compare("states", gradient.restrictedToStates(), count: point.states.count)
    try compare("start time", point.zero(startTime: 1), count: 1)
    try compare("end time", point.zero(endTime: 1), count: 1)
    self.rows = rows
    sampleCount = samples.count
    trace = frozen.trace
  }
}

/// A place in the space of all that a loss depends on, or a direction in it.
private struct Point {
  var parameters: [Double]
  var states: [Double]
  var startTime: Double
  var endTime: Double

  func moved(_ distance: Double, along direction: Point) -> Point {
    Point(
      parameters: zip(parameters, direction.parameters).map { $0 + distance * $1 },
      states: zip(states, direction.states).map { $0 + distance * $1 },
      startTime: startTime + distance * direction.startTime, endTime: endTime + distance * direction.endTime)
  }

  func dot(_ other: Point) -> Double {
    zip(parameters, other.parameters).reduce(0) { $0 + $1.0 * $1.1 }
      + zip(states, other.states).reduce(0) { $0 + $1.0 * $1.1 } + startTime * other.startTime
      + endTime * other.endTime
  }

  func zero(startTime: Double = 0, endTime: Double = 0) -> Point {
    Point(
      parameters: parameters.map { _ in 0 }, states: states.map { _ in 0 }, startTime: startTime, endTime: endTime)
  }

  /// Of length 1, or 0 where there is nothing to go along.
  private var normalised: Point {
    let length = dot(self).squareRoot()
    return length > 0 ? zero().moved(1 / length, along: self) : self
  }

  func restricted(toParameters range: Range<Int>) -> Point {
    var direction = zero()
    direction.parameters.replaceSubrange(range, with: parameters[range])
    return direction.normalised
  }

  func restrictedToStates() -> Point {
    var direction = zero()
    direction.states = states
    return direction.normalised
  }

  func withRandomParameters(seed: UInt64) -> Point {
    let source = RandomSource(seed: seed, stream: .initial, step: 1 << 32)  // no layer has this number
    var direction = zero()
    for index in parameters.indices { direction.parameters[index] = source.normal(sample: 0, dimension: index) }
    return direction.normalised
  }
}

/// The mean negative log-density as a function of a point, by the steps that the solver takes at one of them.
private struct FrozenSteps {
  let trace: Trace
  private let dimension: Int
  private let solver: any FieldSolver<Double>
  /// Of each sample's steps; nil: equal ones.
  private let fractions: [[Double]?]
  private let seed: UInt64

  init(
    _ program: FieldProgram, _ point: Point, options: SolverOptions, backend: Backend, seed: UInt64
  ) throws {
    self.seed = seed
    dimension = program.stateDimension
    let count = point.states.count / dimension
    var options = options
    if case .fixed = options.control {
      fractions = Array(repeating: nil, count: count)
    } else {
      let adaptive = try KernelSolver<Double>(program: program, options: options)
      let all = Self.problem(point, 0..<count, dimension: dimension, fractions: nil, seed: seed)
      try SolveFailure.check(try adaptive.solve(all))
      let found = try adaptive.acceptedStepFractions(all)
      fractions = found
      options.trace = adaptive.resolvedTrace
      options.control = .fixed(steps: found.map(\.count).max() ?? 1)
    }
    options.threads = 1  // samples go one by one
    solver = try makeSolver(program: program, options: options, backend: backend)
    trace = solver.resolvedTrace
  }

  func gradient(at point: Point) throws -> Point {
    var sum = point.zero()
    for index in fractions.indices {
      let gradient = try solver.gradient(of: loss, at: problem(point, index))
      try SolveFailure.check(gradient.solution)
      for (number, value) in gradient.parameters.enumerated() { sum.parameters[number] += value }
      sum.states.replaceSubrange(index * dimension..<(index + 1) * dimension, with: gradient.states)
      sum.startTime += gradient.startTimes[0]
      sum.endTime += gradient.endTimes[0]
    }
    return sum
  }

  /// (8 (L(h) − L(−h)) − (L(2h) − L(−2h))) / 12h.
  func derivative(at point: Point, along direction: Point) throws -> Double {
    let h = 1e-3
    func difference(_ distance: Double) throws -> Double {
      try value(at: point.moved(distance, along: direction)) - value(at: point.moved(-distance, along: direction))
    }
    return (8 * (try difference(h)) - (try difference(2 * h))) / (12 * h)
  }

  private func value(at point: Point) throws -> Double {
    var sum = 0.0
    for index in fractions.indices {
      let solution = try solver.solve(problem(point, index))
      try SolveFailure.check(solution)
      let square = solution.states.reduce(0) { $0 + $1 * $1 }
      sum += scale * (square / 2 - solution.logDeterminants[0])
    }
    return sum
  }

  private var scale: Double { 1 / Double(fractions.count) }
  private var loss: Loss<Double> { .standardNormalNegativeLogLikelihood(scale: scale) }

  private func problem(_ point: Point, _ sample: Int) -> SolveProblem<Double> {
    Self.problem(
      point, sample..<sample + 1, dimension: dimension, fractions: fractions[sample], seed: seed)
  }

  private static func problem(
    _ point: Point, _ samples: Range<Int>, dimension: Int, fractions: [Double]?, seed: UInt64
  ) -> SolveProblem<Double> {
    SolveProblem(
      parameters: point.parameters,
      states: Array(point.states[samples.lowerBound * dimension..<samples.upperBound * dimension]),
      from: point.startTime, to: point.endTime, seed: seed, sampleIdentifiers: samples.map { UInt64($0) },
      stepFractions: fractions)
  }
}
