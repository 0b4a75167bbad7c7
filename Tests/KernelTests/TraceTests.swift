import NeuralODE
import Testing

@Suite struct TraceTests {
  private func divergences(
    _ program: FieldProgram, _ parameters: [Double], _ states: [Double], trace: Trace, probes: [Double]? = nil,
    isa: InstructionSet = .automatic
  ) throws -> [Double] {
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 1), trace: trace), isa: isa)
    return try solver.evaluate(
      SolveProblem(parameters: parameters, states: states, from: 0.3, to: 1, probes: probes)
    ).divergences
  }

  /// tr ∂f/∂x by central differences of sixth order. With h = 3e-3 and seventh derivatives up to 5,000 (tanh with
  /// weights of size 1.5), their truncation error h⁶·f⁽⁷⁾/140 is 3e-14, and their rounding error 2·10⁻¹⁶/h is 7e-14.
  private func traceByDifferences(_ program: FieldProgram, _ parameters: [Double], _ state: [Double]) throws -> Double {
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 1), trace: .none))
    let h = 0.003
    let weights = [(1.0, 3.0 / 4), (2.0, -3.0 / 20), (3.0, 1.0 / 60)]
    var trace = 0.0
    for dimension in state.indices {
      var moved: [Double] = []
      for (distance, _) in weights {
        for sign in [1.0, -1.0] {
          var point = state
          point[dimension] += sign * distance * h
          moved += point
        }
      }
      let values = try solver.evaluate(
        SolveProblem(parameters: parameters, states: moved, from: 0.3, to: 1)
      ).velocities
      for (index, (_, weight)) in weights.enumerated() {
        let up = values[(2 * index) * state.count + dimension]
        let down = values[(2 * index + 1) * state.count + dimension]
        trace += weight * (up - down) / h
      }
    }
    return trace
  }

  @Test(arguments: [Activation.tanh, .softplus, .silu, .identity], [[], [9], [9, 7], [9, 7, 5]])
  func exactTraceEqualsThatOfTheJacobian(activation: Activation, hidden: [Int]) throws {
    let program = Fixtures.net(3, hidden, activation)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 11, gain: 0.7)
    let state: [Double] = Fixtures.normals(3, seed: 12, scale: 0.5)
    let exact = try traceByDifferences(program, parameters, state)
    let forms: [Trace] = hidden.count <= 2 ? [.exactTangents, .exactProduct, .exact] : [.exactTangents, .exact]
    for form in forms {
      let found = try divergences(program, parameters, state, trace: form)[0]
      #expect(abs(found - exact) < 1e-12 * max(1, abs(exact)), "\(form): \(found) against \(exact)")
    }
  }

  @Test(arguments: Activation.allCases)
  func tangentsWorkForEveryProgram(activation: Activation) throws {
    let program = Fixtures.everyOperation(3, activation)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 13, gain: 0.7)
    // The state is away from the kink of ReLU, so differences are on one side of it.
    let state: [Double] = Fixtures.normals(3, seed: 14, scale: 0.5)
    let exact = try traceByDifferences(program, parameters, state)
    let found = try divergences(program, parameters, state, trace: .exactTangents)[0]
    #expect(abs(found - exact) < 1e-11 * max(1, abs(exact)), "\(found) against \(exact)")
  }

  /// Both forms sum H·H products in different orders, so they differ by rounding only.
  @Test(arguments: instructionSets)
  func productFormEqualsTangentForm(isa: InstructionSet) throws {
    for hidden in [[1], [64], [33, 17], [64, 64], [128, 100]] {
      let program = Fixtures.net(6, hidden, .softplus)
      let parameters: [Double] = Fixtures.parameters(for: program, seed: 15)
      let states: [Double] = Fixtures.normals(6 * 21, seed: 16)
      let product = try divergences(program, parameters, states, trace: .exactProduct, isa: isa)
      let tangents = try divergences(program, parameters, states, trace: .exactTangents, isa: isa)
      for (a, b) in zip(product, tangents) { #expect(abs(a - b) < 1e-12 * max(1, abs(a)), "\(hidden) \(isa)") }
    }
  }

  /// The mean of εᵀJε over all 2^D Rademacher vectors is tr J, up to rounding.
  @Test(arguments: 1...6)
  func allProbesAverageToTheTrace(dimension: Int) throws {
    let program = Fixtures.net(dimension, [7, 9, 8], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 17)
    let state: [Double] = Fixtures.normals(dimension, seed: 18)
    let count = 1 << dimension
    let probes = (0..<count).flatMap { pattern in (0..<dimension).map { pattern >> $0 & 1 == 1 ? 1.0 : -1.0 } }
    let states = (0..<count).flatMap { _ in state }
    let single = try divergences(program, parameters, states, trace: .hutchinson, probes: probes)
    let exact = try divergences(program, parameters, state, trace: .exactTangents)[0]
    #expect(abs(single.reduce(0, +) / Double(count) - exact) < 1e-12)
    // The same with all of them as the K probes of one sample.
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("rk4", .fixed(steps: 1), trace: .hutchinson, probes: count))
    let together = try solver.evaluate(
      SolveProblem(parameters: parameters, states: state, from: 0.3, to: 1, probes: probes)
    ).divergences[0]
    #expect(abs(together - exact) < 1e-12)
  }

  @Test func automaticChoosesByCost() throws {
    func resolved(_ dimension: Int, _ hidden: [Int], _ trace: Trace, probes: Int = 1) throws -> Trace {
      try KernelSolver<Float>(
        program: Fixtures.net(dimension, hidden, .tanh),
        options: Fixtures.options("dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: trace, probes: probes)
      ).resolvedTrace
    }
    #expect(try resolved(43, [64, 64], .automatic) == .exactProduct)
    #expect(try resolved(2, [64, 64, 64], .automatic) == .exactTangents)
    #expect(try resolved(3, [64, 64, 64], .automatic) == .hutchinson)
    #expect(try resolved(3, [64, 64, 64], .automatic, probes: 2) == .exactTangents)
    #expect(try resolved(3, [64, 64, 64], .exact) == .exactTangents)
    #expect(throws: KernelError.self) { try resolved(3, [64, 64, 64], .exactProduct) }
  }

  /// The probes that the C library draws equal those of `RandomSource` with the same key.
  @Test(arguments: [Probe.rademacher, .gaussian])
  func drawnProbesEqualThoseOfTheirKeys(probe: Probe) throws {
    let program = Fixtures.net(3, [5, 5, 5], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 19)
    let states: [Double] = Fixtures.normals(3 * 4, seed: 20)
    var options = Fixtures.options("rk4", .fixed(steps: 1), trace: .hutchinson, probes: 2)
    options.probe = probe
    let solver = try KernelSolver<Double>(program: program, options: options)
    let identifiers: [UInt64] = [5, 1 << 40, 0, 5]
    var problem = SolveProblem<Double>(
      parameters: parameters, states: states, from: 0, to: 1, seed: 99, step: 1 << 35, sampleIdentifiers: identifiers)
    let drawn = try solver.evaluate(problem).divergences
    let source = RandomSource(seed: 99, stream: .probe, step: 1 << 35)
    problem.probes = identifiers.flatMap { sample in
      (0..<6).map {
        probe == .gaussian
          ? source.normal(sample: sample, dimension: $0) : source.rademacher(sample: sample, dimension: $0)
      }
    }
    let expected = try solver.evaluate(problem).divergences
    for (a, b) in zip(drawn, expected) { #expect(abs(a - b) <= 8 * max(abs(a), 1).ulp) }
  }
}
