import NeuralODE
import Testing

/// Compares the pullback of a layer in a caller's own model with central differences, forward and backward in time.
@Suite struct NeuralODELayerTests {
  private static let steps = SolverOptions(method: "rk4", control: .fixed(steps: 6), trace: .none)
  private static let program = FieldProgram.multilayerPerceptron(stateDimension: 3, hidden: [7], activation: .tanh)

  private func make<Scalar: FlowScalar>(
    _ program: FieldProgram = program, from startTime: Double, to endTime: Double, _ options: SolverOptions = steps,
    backend: Backend = .c, seed: UInt64 = 1
  ) throws -> NeuralODELayer<Scalar> {
    // The cubic field leads to infinity if its first parameter is negative, or backward in time from |x| > 1/√(2 · 0.2
    // · 0.75).
    try NeuralODELayer(
      program: program,
      parameters: program == Fixtures.cubic
        ? [0.2, 0.8] : Fixtures.normals(program.parameterCount, seed: seed, scale: 0.5),
      from: startTime, to: endTime, options: options, backend: backend)
  }

  /// The loss is L = Σ weights · x(t1).
  private func pullbackIsCentralDifferences(
    _ program: FieldProgram, _ startTime: Double, _ endTime: Double, _ backend: Backend
  ) throws {
    let layer: NeuralODELayer<Double> = try make(program, from: startTime, to: endTime, backend: backend)
    let states: [Double] = Fixtures.normals(4 * 3, seed: 2, scale: 0.5)
    let weights: [Double] = Fixtures.normals(4 * 3, seed: 3)
    func loss(_ change: (inout NeuralODELayer<Double>) -> Void, _ states: [Double]) throws -> Double {
      var changed = layer
      change(&changed)
      return zip(try changed.forward(states).states, weights).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let pullback = try layer.forward(states).backward(weights)
    let parameters = try Fixtures.differences(at: layer.parameters) { point in
      try loss({ $0.parameters = point }, states)
    }
    #expect(Fixtures.error(pullback.parameters, parameters) < Fixtures.differenceTolerance)
    let byStates = try Fixtures.differences(at: states) { try loss({ _ in }, $0) }
    #expect(Fixtures.error(pullback.states, byStates) < Fixtures.differenceTolerance)
    let times = try Fixtures.differences(at: [startTime, endTime]) { times in
      try loss({ ($0.startTime, $0.endTime) = (times[0], times[1]) }, states)
    }
    #expect(Fixtures.error([pullback.startTime, pullback.endTime], times) < Fixtures.differenceTolerance)
  }

  @Test(arguments: Backend.allCases, [(0.0, 1.0), (1.0, -0.5), (-2.0, -1.25)])
  func pullbacksAreCentralDifferences(backend: Backend, times: (Double, Double)) throws {
    try pullbackIsCentralDifferences(Self.program, times.0, times.1, backend)
  }

  @Test(arguments: Backend.allCases, [(0.0, 1.0), (1.0, 0.25)])
  func aFieldByClosureIsDifferentiatedToo(backend: Backend, times: (Double, Double)) throws {
    try pullbackIsCentralDifferences(Fixtures.cubic, times.0, times.1, backend)
  }

  /// A solve forward and back returns to its start, within the tolerances of its adaptive steps.
  @Test func backwardInTimeUndoes() throws {
    let options = SolverOptions(control: .perSample(rtol: 1e-9, atol: 1e-9), trace: .none)
    let there: NeuralODELayer<Double> = try make(from: 0.25, to: 1.5, options)
    let back: NeuralODELayer<Double> = try make(from: 1.5, to: 0.25, options)
    let states: [Double] = Fixtures.normals(5 * 3, seed: 4)
    let returned = try back.forward(try there.forward(states).states).states
    // Each of the two solves errs by a few tolerances. The solve back magnifies the error of the first by at most
    // exp(1.25 · 2).
    #expect(Fixtures.error(returned, states) < 100 * 1e-9)
  }

  // With 8192 bytes there is one checkpoint with AVX-512, whose tiles have the most lanes, and five with generic
  // kernels.
  @Test(arguments: [AdjointSchedule.every(3), .binomial(bytes: 1 << 13), .automatic()])
  func everyScheduleGivesTheSameBits(schedule: AdjointSchedule) throws {
    var options = SolverOptions(trace: .none, keptEvaluationBytes: 0)
    let states: [Float] = Fixtures.normals(20 * 3, seed: 5)
    let kept = try (make(from: 0, to: 1, options) as NeuralODELayer<Float>).forward(states).backward(states)
    options.adjoint = schedule
    let made = try (make(from: 0, to: 1, options) as NeuralODELayer<Float>).forward(states).backward(states)
    #expect(made.parameters == kept.parameters && made.states == kept.states)
    #expect(made.startTime == kept.startTime && made.endTime == kept.endTime)
  }

  @Test func theContinuousAdjointTendsToTheSame() throws {
    let states: [Double] = Fixtures.normals(6 * 3, seed: 6)
    let tolerance = 1e-9
    var options = SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance), trace: .none)
    let discrete = try (make(from: 0, to: 1, options) as NeuralODELayer<Double>).forward(states).backward(states)
    options.adjoint = .continuous()
    let continuous = try (make(from: 0, to: 1, options) as NeuralODELayer<Double>).forward(states).backward(states)
    // Each gradient is within some tolerances per step of the flow's exact gradient. The gradient of the parameters is
    // an integral that the error norm does not include.
    #expect(Fixtures.error(continuous.parameters, discrete.parameters) < 1000 * tolerance)
    #expect(Fixtures.error(continuous.states, discrete.states) < 1000 * tolerance)
    #expect(continuous.parameters != discrete.parameters)
  }

  @Test func threadsAndNeighboursDoNotMatter() throws {
    let states: [Float] = Fixtures.normals(150 * 3, seed: 7)
    func pullback(_ threads: Int) throws -> NeuralODELayer<Float>.Pullback {
      let layer: NeuralODELayer<Float> = try make(from: 0, to: 1, SolverOptions(trace: .none, threads: threads))
      return try layer.forward(states).backward(states)
    }
    let (one, three) = (try pullback(1), try pullback(3))
    #expect(one.parameters == three.parameters && one.states == three.states && one.endTime == three.endTime)
    let layer: NeuralODELayer<Float> = try make(from: 0, to: 1, SolverOptions(trace: .none))
    let alone = try layer.forward(Array(states[30..<33])).backward(Array(states[30..<33]))
    #expect(alone.states == Array(one.states[30..<33]))
  }

  @Test func aSampleThatDoesNotArriveIsAnError() throws {
    // The solution of x' = x² becomes infinite at t = 1/x(0).
    var program = FieldProgram(stateDimension: 1)
    program.append(.multiply(.state, .state))
    let layer = try NeuralODELayer<Double>(program: program, parameters: [], from: 0, to: 2)
    #expect(throws: SolveFailure.self) { try layer.forward([0.1, 1]) }
    let arrived = try layer.forward([0.1]).states
    // x(2) = 1/(1/0.1 − 2), at the default tolerances of 1e-5.
    #expect(abs(arrived[0] - 0.125) < 1e-4)
  }
  /// x′ = −60 x reaches its end. Its continuous adjoint solves backward from there, where the state grows by e^{60},
  /// and needs more steps than the 60 that are allowed.
  private func decay() -> (program: FieldProgram, options: SolverOptions) {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    var options = SolverOptions(control: .perSample(rtol: 1e-4, atol: 1e-4), trace: .none)
    options.adjoint = .continuous(rtol: 1e-9, atol: 1e-12)
    options.maximumSteps = 60
    return (program, options)
  }

  @Test(arguments: Backend.allCases)
  func aBackwardSolveThatFailsIsAnError(backend: Backend) throws {
    let (program, options) = decay()
    func isOfFirstSample(_ error: any Error) -> Bool {
      let failure = error as? SolveFailure
      return failure?.sample == 0 && failure?.status == .maximumSteps && failure?.failed == 1 && failure?.count == 2
    }
    let layer = try NeuralODELayer<Double>(program: program, parameters: [-60, 0], options: options, backend: backend)
    let pass = try layer.forward([1, 0])
    #expect { try pass.backward([1, 0]) } throws: { isOfFirstSample($0) }
    let ode = NeuralODE(program: program, parameters: [-60, 0], options: options, backend: backend)
    let states = StateMatrix(count: 2, dimension: 1, values: [1, 0])
    #expect(try ode(states, from: 0, to: 1).values[1] == 0)
    #expect {
      try ode.gradient(at: states, from: 0, to: 1) { StateMatrix(count: $0.count, dimension: 1, values: [1, 0]) }
    } throws: {
      isOfFirstSample($0)
    }
  }
}
