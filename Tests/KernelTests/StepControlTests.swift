import Foundation
import NeuralODE
import PureSwift
import Testing

/// Step controllers, error norms and tolerances per row, compared with formulas that are written out here, and the C
/// kernels compared with `PureSwift`.
@Suite struct StepControlTests {
  static let controllers = [
    StepController.integral, .proportionalIntegral, .pid(0.3, 0.4, 0.1), .pid(-1.0 / 6, 1.0 / 3, 0),
    StepController(proportional: 0.2, integral: 0.4, safety: 0.8, smallestFactor: 0.5, largestFactor: 2),
  ]

  /// x' = rate · (1 − x): one row, W = −rate, b = rate.
  private static func decay(_ rate: Double, to end: Double) -> (program: FieldProgram, problem: SolveProblem<Double>) {
    (Fixtures.linearField(1), SolveProblem(parameters: [-rate, rate], states: [0], from: 0, to: end))
  }

  /// A plain loop of adaptive steps with δ = 1/ratio, as diffrax writes it. Returns the ends of accepted steps and the
  /// number of rejected steps.
  private static func plainLoop(
    _ tableau: ButcherTableau, _ controller: StepController, rate: Double, end: Double, tolerance: Double, step: Double
  ) -> (ends: [Double], rejected: Int) {
    let order = Double(tableau.embeddedOrder + 1)
    let (p, i, d) = (controller.proportional, controller.integral, controller.derivative)
    var (step, time, state, ends, rejected) = (step, 0.0, 0.0, [0.0], 0)
    var inverses = [1.0, 1.0]
    while time < end {
      let isLast = time + step >= end * (1 - 1e-12)
      if isLast { step = end - time }
      var velocities: [Double] = []
      for row in tableau.a {
        velocities.append(rate * (1 - (state + step * zip(row, velocities).map { $0 * $1 }.reduce(0, +))))
      }
      let next = state + step * zip(tableau.b, velocities).map { $0 * $1 }.reduce(0, +)
      let error = step * zip(tableau.e, velocities).map { $0 * $1 }.reduce(0, +)
      let inverse = (tolerance + tolerance * max(abs(state), abs(next))) / abs(error)
      let factor =
        controller.safety * pow(inverse, (p + i + d) / order) * pow(inverses[0], -(p + 2 * d) / order)
        * pow(inverses[1], d / order)
      if inverse >= 1 {
        time = isLast ? end : time + step
        state = next
        ends.append(time / end)
        inverses = [inverse, inverses[0]]
        step *= min(controller.largestFactor, max(1, factor))
      } else {
        rejected += 1
        step *= min(controller.safety, max(controller.smallestFactor, factor))
      }
    }
    return (ends, rejected)
  }

  /// On a problem where stability limits the steps, so that many are rejected; with the C kernels and `PureSwift`.
  @Test(arguments: controllers) func stepsAreThoseOfTheFormula(controller: StepController) throws {
    let (rate, end, tolerance, first) = (40.0, 2.0, 1e-5, 0.01)
    let (program, problem) = Self.decay(rate, to: end)
    let tableau = try Methods.named("dopri5")
    let options = SolverOptions(
      control: .perSample(rtol: tolerance, atol: tolerance), initialStep: first, stepController: controller,
      trace: .none)
    let (ends, rejected) = Self.plainLoop(
      tableau, controller, rate: rate, end: end, tolerance: tolerance, step: first)
    let c = try KernelSolver<Double>(program: program, options: options)
    let swift = try PureSwiftSolver<Double>(program: program, options: options, tableau: tableau)
    #expect(ends.count > 15)
    for found in [try c.acceptedStepFractions(problem)[0], try swift.acceptedStepFractions(problem)[0]] {
      #expect(found.count == ends.count)
      // The error of an attempt is about 1e-5 and a difference of numbers near 1. So its rounding error of 1e-15
      // changes a step by about 1e-11 of its length. At the limit of stability errors grow from step to step, by 1e3
      // here.
      for (a, b) in zip(found, ends) { #expect(abs(a - b) < 1e-8) }
    }
    #expect(try c.solve(problem).rejectedSteps == [rejected])
    #expect(try swift.solve(problem).rejectedSteps == [rejected])
  }

  /// Integral control alternates between steps that are too long and shorter ones (Hairer and Wanner, Solving ODEs II,
  /// IV.2).
  @Test func proportionalPartsCalmStiffFields() throws {
    let (program, problem) = Self.decay(200, to: 2)
    func rejected(_ controller: StepController) throws -> Int {
      let options = SolverOptions(
        control: .perSample(rtol: 1e-4, atol: 1e-4), stepController: controller, trace: .none)
      let solution = try KernelSolver<Double>(program: program, options: options).solve(problem)
      #expect(solution.statuses == [.ok])
      return solution.rejectedSteps[0]
    }
    let integral = try rejected(.integral)
    let proportional = try rejected(.proportionalIntegral)
    #expect(
      integral > 10 && proportional * 2 < integral, "rejected steps: \(integral) of integral, \(proportional) of PI")
  }

  /// Both backends have the same steps, statuses and statistics with all options.
  @Test(arguments: controllers, ErrorNorm.allCases)
  func backendsTakeTheSameSteps(controller: StepController, norm: ErrorNorm) throws {
    let program = Fixtures.net(2, [32, 32], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 63, gain: 3), states: Fixtures.normals(2 * 70, seed: 64),
      from: 1, to: 0)
    for (rows, longest) in [(nil, nil), ([1e-3, 1e-6], nil), ([1e-5, 1e-2], 0.05)] as [([Double]?, Double?)] {
      for method in ["dopri5", "bosh3", "vern7"] {
        let options = SolverOptions(
          method: method, control: .perSample(rtol: 1e-4, atol: 1e-4), maximumStep: longest,
          stepController: controller, errorNorm: norm, relativeTolerances: rows, absoluteTolerances: rows, threads: 2)
        let c = try KernelSolver<Double>(program: program, options: options)
        let swift = try PureSwiftSolver<Double>(
          program: program, options: options, tableau: try Methods.named(method))
        let loss = Loss<Double>.standardNormalNegativeLogLikelihood(scale: 1)
        let a = try c.gradient(of: loss, at: problem).solution
        let b = try swift.gradient(of: loss, at: problem).solution
        #expect(a.statuses.allSatisfy { $0 == .ok } && b.statuses == a.statuses)
        #expect(a.acceptedSteps == b.acceptedSteps && a.rejectedSteps == b.rejectedSteps)
        #expect(a.adjointEvaluations == b.adjointEvaluations && a.adjointEvaluations.allSatisfy { $0 > 0 })
        // The length of a step is proportional to a root of its error. Errors down to a thousandth of a tolerance of
        // 1e-6 are sums of terms up to a hundred (vern7's coefficients), rounded to 1e-14, which is a part in 1e5. The
        // seventh root of that is a part in 7e5, and lengths are below 1.
        #expect(zip(a.smallestSteps, b.smallestSteps).allSatisfy { $0 > 0 && abs($0 - $1) < 1e-5 })
        if let longest {
          let steps = try c.acceptedStepFractions(problem).flatMap { zip($0, $0.dropFirst()).map { $1 - $0 } }
          // The length of a step is the difference of the rounded times t and t + h.
          #expect(steps.allSatisfy { $0 <= longest + 1e-15 })
        }
      }
    }
  }

  /// The same tolerance for every row gives the same bits as the common tolerance. A looser tolerance of a row takes
  /// fewer steps, and a tighter one takes more.
  @Test(arguments: ErrorNorm.allCases) func tolerancesPerRow(norm: ErrorNorm) throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 81, gain: 3), states: Fixtures.normals(2 * 60, seed: 82),
      from: 0, to: 1)
    func solve(_ rows: [Double]?, _ trace: Trace = .none) throws -> Solution<Double> {
      let options = SolverOptions(
        control: .perSample(rtol: 1e-5, atol: 1e-5), errorNorm: norm, relativeTolerances: rows,
        absoluteTolerances: rows, trace: trace)
      return try KernelSolver<Double>(program: program, options: options).solve(problem)
    }
    for trace in [Trace.none, .exact] {
      let (same, common) = (try solve([1e-5, 1e-5], trace), try solve(nil, trace))
      #expect(bits(same.states) == bits(common.states) && bits(same.logDeterminants) == bits(common.logDeterminants))
    }
    let common = try solve(nil)
    func attempts(_ solution: Solution<Double>) -> Int {
      (solution.acceptedSteps + solution.rejectedSteps).reduce(0, +)
    }
    #expect(attempts(try solve([1e-5, 1e-1])) < attempts(common))
    #expect(attempts(try solve([1e-5, 1e-8])) > attempts(common))
    // The log-determinant has the common tolerance, so loose tolerances of the rows do not reduce its steps as much.
    #expect(attempts(try solve([1e-1, 1e-1], .exact)) > attempts(try solve([1e-1, 1e-1])))
  }

  /// With the maximum norm, a row without error does not affect the steps: two rows take the same steps as one.
  @Test func aRowWithoutErrorDoesNotAffectTheMaximumNorm() throws {
    let one = SolveProblem<Double>(
      parameters: [-1.3, 0.2], states: Fixtures.normals(40, seed: 83), from: 0, to: 2)
    // The second row is constant.
    let two = SolveProblem<Double>(
      parameters: [-1.3, 0, 0, 0, 0.2, 0], states: one.states.flatMap { [$0, 7] }, from: 0, to: 2)
    let options = SolverOptions(
      control: .perSample(rtol: 1e-6, atol: 1e-6), errorNorm: .maximum, trace: .none)
    var wide = options
    // The tolerance is so loose that x₀ = 7 does not affect the choice of the first step.
    (wide.relativeTolerances, wide.absoluteTolerances) = ([1e-6, 1e6], [1e-6, 1e6])
    let a = try KernelSolver<Double>(program: Fixtures.linearField(1), options: options).solve(one)
    let b = try KernelSolver<Double>(program: Fixtures.linearField(2), options: wide).solve(two)
    #expect(a.acceptedSteps == b.acceptedSteps && a.rejectedSteps == b.rejectedSteps)
    #expect(bits(a.states) == bits(stride(from: 0, to: b.states.count, by: 2).map { b.states[$0] }))
    #expect(bits(a.smallestSteps) == bits(b.smallestSteps))
  }

  /// The maximum norm is at least as large as the root mean square, so it takes more steps.
  @Test(arguments: [1e-3, 1e-6]) func theMaximumNormTakesMoreSteps(tolerance: Double) throws {
    let program = Fixtures.net(5, [16, 16], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 84, gain: 3), states: Fixtures.normals(5 * 60, seed: 85),
      from: 0, to: 1)
    func accepted(_ norm: ErrorNorm, _ control: StepControl) throws -> Int {
      let options = SolverOptions(control: control, errorNorm: norm)
      let solution = try KernelSolver<Double>(program: program, options: options).solve(problem)
      #expect(solution.statuses.allSatisfy { $0 == .ok })
      return solution.acceptedSteps.reduce(0, +)
    }
    for control in [StepControl.perSample(rtol: tolerance, atol: tolerance), .batch(rtol: tolerance, atol: tolerance)] {
      #expect(try accepted(.maximum, control) > accepted(.rootMeanSquare, control), "\(control)")
    }
  }

  /// Batch control of a single sample takes the same steps as per-sample control.
  @Test(arguments: controllers, ErrorNorm.allCases)
  func batchControlOfOneSample(controller: StepController, norm: ErrorNorm) throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 86, gain: 3), states: [0.4, -1.1], from: 0, to: 1)
    func solve(_ control: StepControl, _ most: Int) throws -> Solution<Double> {
      let options = SolverOptions(
        control: control, maximumStep: 0.2, stepController: controller, errorNorm: norm,
        relativeTolerances: [1e-4, 1e-6], maximumSteps: most)
      return try KernelSolver<Double>(program: program, options: options).solve(problem)
    }
    // Up to the end time, and up to the maximum number of steps.
    for most in [4096, 3] {
      try expectSame(
        try solve(.perSample(rtol: 1e-5, atol: 1e-5), most), try solve(.batch(rtol: 1e-5, atol: 1e-5), most))
    }
  }

  private func expectSame(_ sample: Solution<Double>, _ batch: Solution<Double>) throws {
    #expect(sample.statuses == batch.statuses)
    #expect(sample.acceptedSteps == batch.acceptedSteps && sample.rejectedSteps == batch.rejectedSteps)
    // Batch control stores its steps as fractions of the interval, which are rounded.
    #expect(zip(sample.states, batch.states).allSatisfy { abs($0 - $1) < 1e-13 })
    #expect(abs(sample.smallestSteps[0] - batch.smallestSteps[0]) < 1e-14)
  }

  /// The controller remembers the errors of each sample by itself: results are the same alone, in any batch, at any
  /// position and with any number of threads.
  @Test(arguments: instructionSets) func controllersDoNotDependOnOtherSamples(isa: InstructionSet) throws {
    let program = Fixtures.net(2, [33, 32], .tanh)
    let states: [Float] = Fixtures.normals(2 * 150, seed: 87)
    func solve(_ samples: [Int], threads: Int) throws -> [[UInt64]] {
      let options = SolverOptions(
        control: .perSample(rtol: 1e-4, atol: 1e-4), stepController: .pid(0.3, 0.4, 0.1), errorNorm: .maximum,
        relativeTolerances: [1e-3, 1e-5], threads: threads)
      let solution = try KernelSolver<Float>(program: program, options: options, isa: isa).solve(
        SolveProblem(
          parameters: Fixtures.parameters(for: program, seed: 88, gain: 3),
          states: samples.flatMap { [states[2 * $0], states[2 * $0 + 1]] }, from: 0, to: 1))
      return samples.indices.map { index in
        [UInt64(solution.states[2 * index].bitPattern), UInt64(solution.states[2 * index + 1].bitPattern)]
          + [solution.logDeterminants[index].bitPattern, solution.smallestSteps[index].bitPattern]
          + [UInt64(solution.acceptedSteps[index]), UInt64(solution.rejectedSteps[index])]
      }
    }
    let all = Array(0..<150)
    let expected = try solve(all, threads: 1)
    #expect(Set(expected.map { $0[4] }).count > 3 && expected.contains { $0[5] > 0 })
    for threads in [2, 3] { #expect(try solve(all, threads: threads) == expected) }
    for samples in [[0], [149], Array(30..<41), all.reversed()] {
      #expect(try solve(samples, threads: 2) == samples.map { expected[$0] })
    }
  }

  /// f = 1 + 1e300·relu(x − 1): both norms reject steps with errors whose squares are not finite.
  @Test(arguments: ErrorNorm.allCases) func stepsWithInfiniteErrorsAreRejected(norm: ErrorNorm) throws {
    var program = FieldProgram(stateDimension: 1)
    let hidden = program.append(.linear(input: .state, rows: 1, activation: .relu))
    program.append(.linear(input: hidden, rows: 1, activation: .identity))
    let options = SolverOptions(
      control: .perSample(rtol: 1e-6, atol: 1e-6), errorNorm: norm, trace: .none)
    let solution = try KernelSolver<Double>(program: program, options: options).solve(
      SolveProblem(parameters: [1, -1, 1e300, 1], states: [0.5], from: 0, to: 1))
    #expect(solution.statuses != [.ok] && solution.states[0].isFinite && solution.rejectedSteps[0] > 0)
  }
}
