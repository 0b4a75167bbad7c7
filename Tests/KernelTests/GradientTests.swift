import NeuralODE
import Testing

/// Compares the discrete gradient with central differences over the same steps, in Double.
@Suite struct GradientTests {
  private struct Case: CustomTestStringConvertible {
    let name: String
    let program: FieldProgram
    var method = "dopri5"
    var control = StepControl.fixed(steps: 4)
    let trace: Trace
    var probes = 1
    var regularisation = Regularisation.none
    var testDescription: String { "\(name), \(method), \(control), \(trace) K=\(probes), \(regularisation)" }
  }

  private static let cases: [Case] = {
    var cases: [Case] = []
    for activation in Activation.allCases {
      for trace in [Trace.none, .hutchinson, .exactTangents, .exactProduct] {
        cases.append(Case(name: "\(activation) 7-6", program: Fixtures.net(3, [7, 6], activation), trace: trace))
      }
      for trace in [Trace.hutchinson, .exactTangents] {
        cases.append(
          Case(
            name: "every operation \(activation)", program: Fixtures.everyOperation(2, activation), trace: trace,
            probes: 2))
      }
      cases.append(Case(name: "\(activation) 9", program: Fixtures.net(3, [9], activation), trace: .exactProduct))
    }
    for trace in [Trace.hutchinson, .exactTangents] {
      cases.append(Case(name: "side by side", program: Fixtures.sideBySide(3, .tanh), trace: trace, probes: 2))
    }
    cases += regularised
    cases.append(Case(name: "affine", program: Fixtures.net(3, [], .tanh), trace: .exactProduct))
    for method in Methods.all where method.hasDiscreteGradient {
      let takesTangents = method.family == .rosenbrock
      cases.append(
        Case(
          name: "tanh 7-6", program: Fixtures.net(2, [7, 6], .tanh), method: method.name,
          trace: takesTangents ? .exactTangents : .exactProduct))
      guard method.isAdaptive else { continue }
      cases.append(
        Case(
          name: "tanh 7-6-5", program: Fixtures.net(2, [7, 6, 5], .tanh), method: method.name,
          control: .perSample(rtol: 1e-5, atol: 1e-5), trace: takesTangents ? .none : .hutchinson))
    }
    return cases
  }()

  /// Cases with regularisers: every trace and method, activations with each kind of second derivative, programs with a
  /// linear and a nonlinear last block, and more probes and rows than tangents that run side by side.
  private static let regularised: [Case] = regularisations.flatMap { regularisation in
    var cases: [Case] = []
    for activation in [Activation.tanh, .softplus, .silu, .sin] {
      for (trace, probes) in [(Trace.hutchinson, 1), (.hutchinson, 11), (.exactTangents, 1)] {
        cases.append(
          Case(name: "\(activation) 7-6", program: Fixtures.net(3, [7, 6], activation), trace: trace, probes: probes))
        cases.append(
          Case(
            name: "every operation \(activation)", program: Fixtures.everyOperation(2, activation), trace: trace,
            probes: probes))
        cases.append(
          Case(
            name: "side by side \(activation)", program: Fixtures.sideBySide(3, activation), trace: trace,
            probes: probes))
      }
      for trace in [Trace.none, .exactProduct] {
        cases.append(Case(name: "\(activation) 7-6", program: Fixtures.net(3, [7, 6], activation), trace: trace))
      }
    }
    for trace in [Trace.hutchinson, .exactTangents, .exactProduct] {
      cases.append(Case(name: "affine", program: Fixtures.net(3, [], .tanh), trace: trace))
    }
    cases.append(Case(name: "tanh 5, D = 10", program: Fixtures.net(10, [5], .tanh), trace: .exactTangents))
    for method in Methods.all where method.hasDiscreteGradient {
      cases.append(
        Case(name: "tanh 7-6", program: Fixtures.net(2, [7, 6], .tanh), method: method.name, trace: .exactTangents))
      guard method.isAdaptive else { continue }
      for trace in [Trace.hutchinson, .exactTangents] where trace == .exactTangents || method.family == .rungeKutta {
        cases.append(
          Case(
            name: "tanh 7-6-5", program: Fixtures.net(2, [7, 6, 5], .tanh), method: method.name,
            control: .perSample(rtol: 1e-5, atol: 1e-5), trace: trace))
      }
    }
    return cases.filter { regularisation.fits($0.trace) }.map {
      var test = $0
      test.regularisation = regularisation
      return test
    }
  }

  /// Central differences with h = 1e-5 have a truncation error of h²·L⁗/6 ~ 1e-11 and a rounding error of 1e-16/h·|L| ~
  /// 1e-11. The test requires 1e-7.
  @Test(arguments: cases)
  private func gradientEqualsDifferences(test: Case) throws {
    let program = test.program
    let dimension = program.stateDimension
    let isFixed = if case .fixed = test.control { true } else { false }
    // The differences need common steps. Several samples of an adaptive solve have different steps, so it has one
    // sample.
    let count = isFixed ? 5 : 1
    let solver = try KernelSolver<Double>(
      program: program,
      options: Fixtures.options(
        test.method, test.control, trace: test.trace, probes: test.probes, regularisation: test.regularisation))
    var problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 31, gain: 0.8),
      states: Fixtures.normals(count * dimension, seed: 32), from: 0.9, to: 0.1, seed: 7)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1 / Double(count))
    let gradient = try solver.gradient(of: loss, regularisation: test.regularisation, at: problem)
    #expect(gradient.solution.statuses.allSatisfy { $0 == .ok })

    let fixed: KernelSolver<Double>
    if isFixed {
      fixed = solver
    } else {
      problem.stepFractions = try solver.acceptedStepFractions(problem)[0]
      fixed = try KernelSolver<Double>(
        program: program,
        options: Fixtures.options(
          test.method, .fixed(steps: 1), trace: test.trace, probes: test.probes, regularisation: test.regularisation))
    }
    func difference(_ change: (inout SolveProblem<Double>, Double) -> Void) throws -> Double {
      let h = 1e-5
      func value(_ distance: Double) throws -> Double {
        var moved = problem
        change(&moved, distance)
        return try fixed.gradient(of: loss, regularisation: test.regularisation, at: moved).losses.reduce(0, +)
      }
      return try (value(h) - value(-h)) / (2 * h)
    }
    func agree(_ found: Double, _ expected: Double, scale: Double, _ what: String) {
      #expect(abs(found - expected) < 1e-7 * max(scale, abs(expected)), "\(what): \(found), by differences \(expected)")
    }
    let parameterScale = gradient.parameters.map { abs($0) }.max() ?? 1
    for index in stride(from: 0, to: program.parameterCount, by: max(1, program.parameterCount / 23)) {
      let expected = try difference { $0.parameters[index] += $1 }
      agree(gradient.parameters[index], expected, scale: parameterScale, "parameter \(index)")
    }
    let stateScale = gradient.states.map { abs($0) }.max() ?? 1
    for index in 0..<dimension {
      agree(gradient.states[index], try difference { $0.states[index] += $1 }, scale: stateScale, "state \(index)")
    }
    agree(
      gradient.startTimes.reduce(0, +), try difference { $0.startTime += $1 }, scale: 1, "start time")
    agree(gradient.endTimes.reduce(0, +), try difference { $0.endTime += $1 }, scale: 1, "end time")
  }

  /// Cotangents of the caller: the gradient of c·x(T) + d·log-determinant, and that of 0.
  @Test func gradientOfGivenCotangents() throws {
    let program = Fixtures.net(2, [6, 6], .silu)
    let solver = try KernelSolver<Double>(program: program, options: Fixtures.options("rk4", .fixed(steps: 3)))
    var problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 41), states: Fixtures.normals(6, seed: 42), from: 0, to: 1)
    let bars: [Double] = Fixtures.normals(6, seed: 43)
    let logBars = [0.5, -1, 2]
    let gradient = try solver.gradient(of: .cotangents(states: bars, logDeterminants: logBars), at: problem)
    func value() throws -> Double {
      let solution = try solver.solve(problem)
      return zip(bars + logBars, solution.states + solution.logDeterminants).reduce(0) { $0 + $1.0 * $1.1 }
    }
    for index in problem.states.indices {
      let kept = problem.states[index]
      problem.states[index] = kept + 1e-5
      let up = try value()
      problem.states[index] = kept - 1e-5
      let down = try value()
      problem.states[index] = kept
      #expect(abs((up - down) / 2e-5 - gradient.states[index]) < 1e-8)
    }
    let nothing = try solver.gradient(
      of: .cotangents(states: [Double](repeating: 0, count: 6), logDeterminants: [0, 0, 0]), at: problem)
    #expect(nothing.parameters.allSatisfy { $0 == 0 } && nothing.states.allSatisfy { $0 == 0 })
    #expect(nothing.losses.isEmpty)
  }

  /// The gradient of a batch is the sum of the gradients of its samples up to rounding, for sizes that do not fill
  /// tiles.
  @Test(arguments: [1, 2, 31, 33, 100, 517])
  func batchGradientIsTheSumOfSamples(count: Int) throws {
    let program = Fixtures.net(2, [12, 12], .tanh)
    let solver = try KernelSolver<Double>(
      program: program, options: Fixtures.options("dopri5", .perSample(rtol: 1e-4, atol: 1e-4)))
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 51, gain: 2)
    let states: [Double] = Fixtures.normals(2 * count, seed: 52)
    let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
    let whole = try solver.gradient(
      of: loss, at: SolveProblem(parameters: parameters, states: states, from: 1, to: 0))
    var sum = [Double](repeating: 0, count: program.parameterCount)
    for sample in 0..<count {
      let single = try solver.gradient(
        of: loss,
        at: SolveProblem(
          parameters: parameters, states: Array(states[2 * sample..<2 * sample + 2]), from: 1, to: 0))
      for index in sum.indices { sum[index] += single.parameters[index] }
      #expect(bits(Array(whole.states[2 * sample..<2 * sample + 2])) == bits(single.states), "sample \(sample)")
      #expect(whole.losses[sample].bitPattern == single.losses[0].bitPattern)
    }
    // The same terms, up to 517, are summed in two orders: n·ulp of the largest sum bounds the difference.
    #expect(largestDifference(whole.parameters, sum) < 16 * Double(count + 8))
  }
}
