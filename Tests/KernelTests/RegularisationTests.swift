import Foundation
import NeuralODE
import PureSwift
import Testing

/// The kinetic energy and the Frobenius norm: known integrals, and that they do not change the solve. The suites that
/// run over `regularisations` check their gradients.
@Suite struct RegularisationTests {
  private static let both = regularisations[2]

  private func solvers(
    _ program: FieldProgram, _ options: SolverOptions
  ) throws -> [(name: String, solver: any FieldSolver<Double>)] {
    let pure: any FieldSolver<Double> = try PureSwiftSolver<Double>(
      program: program, options: options, tableau: try Methods.named(options.method))
    return [("PureSwift", pure)]
      + (try instructionSets.map { ("\($0)", try KernelSolver<Double>(program: program, options: options, isa: $0)) })
  }

  /// For x' = A x, the integral of the Frobenius norm is ‖A‖²_F T / D for every x. With A = diag(a), that of the
  /// kinetic energy is the mean over D of ½ a x² (e^{2aT} − 1)/2. Both are positive in either direction of time.
  @Test(arguments: ["bosh3", "dopri5", "tsit5", "dopri8"])
  func linearFieldsAreKnown(method: String) throws {
    let dimension = 5
    let rates = [0.5, -0.7, 0.3, -0.1, 0.9]
    let states: [Double] = Fixtures.normals(dimension * 37, seed: 21)
    var diagonal = [Double](repeating: 0, count: dimension * (dimension + 1))
    for row in 0..<dimension { diagonal[row * (dimension + 1)] = rates[row] }
    let full: [Double] = Fixtures.normals(dimension * dimension, seed: 22) + [Double](repeating: 0.3, count: dimension)
    let options = Fixtures.options(
      method, .perSample(rtol: 1e-9, atol: 1e-9), trace: .exactTangents, regularisation: Self.both)
    for (name, solver) in try solvers(Fixtures.linearField(dimension), options) {
      for (from, to) in [(0.0, 1.2), (1.2, 0.0)] {
        let solution = try solver.solve(SolveProblem(parameters: diagonal, states: states, from: from, to: to))
        for sample in 0..<37 {
          let exact = (0..<dimension).reduce(0.0) { sum, row in
            let x = states[sample * dimension + row]
            return sum + 0.25 * rates[row] * x * x * expm1(2 * rates[row] * (to - from)) * (to > from ? 1 : -1)
          }
          // There are about a hundred steps. The error of each integral is like that of the state: 1e-9, times e^{2aT}
          // ≲ 10.
          let found = solution.kineticEnergies[sample]
          #expect(abs(found - exact / 5) < 2e-7 * (1 + exact), "\(name), \(method): \(found) for \(exact / 5)")
        }
        let general = try solver.solve(SolveProblem(parameters: full, states: states, from: from, to: to))
        let norm = full[..<(dimension * dimension)].reduce(0) { $0 + $1 * $1 } / 5 * 1.2
        // The norm is constant, the weights of a step sum to 1, and the steps to the interval: only rounding errors are
        // left.
        for found in general.frobeniusNorms { #expect(abs(found - norm) < 1e-12 * norm, "\(name): \(found), \(norm)") }
      }
    }
  }

  /// The mean of |Jε|² over all 2^D Rademacher vectors is ‖J‖²_F. One Euler step gives that of one evaluation.
  @Test(arguments: 1...5)
  func allProbesAverageToTheNorm(dimension: Int) throws {
    let program = Fixtures.everyOperation(dimension, .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 23)
    let state: [Double] = Fixtures.normals(dimension, seed: 24)
    let count = 1 << dimension
    let probes = (0..<count).flatMap { pattern in (0..<dimension).map { pattern >> $0 & 1 == 1 ? 1.0 : -1.0 } }
    func norm(_ trace: Trace, probes: [Double]?, count: Int) throws -> [Double] {
      try solvers(
        program,
        Fixtures.options("euler", .fixed(steps: 1), trace: trace, probes: count, regularisation: Self.both)
      ).map {
        try $0.solver.solve(SolveProblem(parameters: parameters, states: state, from: 0.3, to: 0.4, probes: probes))
          .frobeniusNorms[0]
      }
    }
    let exact = try norm(.exactTangents, probes: nil, count: 1)
    let mean = try norm(.hutchinson, probes: probes, count: count)
    for (a, b) in zip(exact, mean) { #expect(abs(a - b) < 1e-13 * (1 + a) * Double(count), "\(a), \(b)") }
    #expect(exact[0] > 0)
  }

  /// Regularisers are not part of the error norm or the state, so steps and states have the same bits with and without
  /// them.
  @Test(arguments: [Trace.none, .hutchinson, .exactTangents, .exactProduct], regularisations)
  func regularisersDoNotChangeTheSolve(trace: Trace, regularisation: Regularisation) throws {
    guard regularisation.fits(trace) else { return }
    let program = Fixtures.net(3, [24, 17], .tanh)
    let problem = SolveProblem<Float>(
      parameters: Fixtures.parameters(for: program, seed: 25, gain: 2), states: Fixtures.normals(3 * 101, seed: 26),
      from: 0, to: 1, seed: 3)
    for isa in instructionSets {
      var plain = Fixtures.options("dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: trace)
      var with = Fixtures.options(
        "dopri5", .perSample(rtol: 1e-5, atol: 1e-5), trace: trace, regularisation: regularisation)
      // With the Frobenius norm the divergence is summed in another order. Its rounding must not affect the steps here.
      plain.errorNormIncludesLogDeterminant = regularisation.frobeniusNorm == 0
      with.errorNormIncludesLogDeterminant = plain.errorNormIncludesLogDeterminant
      let a = try KernelSolver<Float>(program: program, options: plain, isa: isa).solve(problem)
      let b = try KernelSolver<Float>(program: program, options: with, isa: isa).solve(problem)
      #expect(bits(a.states) == bits(b.states) && a.evaluations == b.evaluations && a.statuses == b.statuses)
      if regularisation.frobeniusNorm == 0 { #expect(bits(a.logDeterminants) == bits(b.logDeterminants)) }
      #expect((b.kineticEnergies + b.frobeniusNorms).allSatisfy { $0 > 0 })
      #expect(a.kineticEnergies.isEmpty && a.frobeniusNorms.isEmpty)
    }
  }

  /// Batch control finds its steps first and then takes them as fixed steps, in which it integrates the regularisers.
  @Test func batchControlIntegratesRegularisers() throws {
    let program = Fixtures.net(2, [16, 16], .tanh)
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 27), states: Fixtures.normals(2 * 70, seed: 28), from: 1,
      to: 0)
    let shared = try KernelSolver<Double>(
      program: program,
      options: Fixtures.options("dopri5", .batch(rtol: 1e-8, atol: 1e-8), regularisation: Self.both)
    ).solve(problem)
    let own = try KernelSolver<Double>(
      program: program,
      options: Fixtures.options("dopri5", .perSample(rtol: 1e-8, atol: 1e-8), regularisation: Self.both)
    ).solve(problem)
    for (a, b) in zip(
      shared.kineticEnergies + shared.frobeniusNorms, own.kineticEnergies + own.frobeniusNorms)
    {
      #expect(abs(a - b) < 1e-6 && a > 0)
    }
  }

  /// f = 1e25 moves x by 10 in a time of 1e-24, but f² overflows Float, so the sample fails.
  @Test func aRegulariserThatOverflowsIsNotFinite() throws {
    let program = Fixtures.linearField(1)
    for control in [StepControl.perSample(rtol: 1e-3, atol: 1e-3), .fixed(steps: 2)] {
      for (regularisation, status) in [(Regularisation.none, SampleStatus.ok), (regularisations[0], .notFinite)] {
        var options = Fixtures.options("dopri5", control, regularisation: regularisation)
        options.minimumStep = 1e-30
        let found = try KernelSolver<Float>(program: program, options: options).gradient(
          of: .standardNormalNegativeLogLikelihood(scale: 1), regularisation: regularisation,
          at: SolveProblem(parameters: [0, 1e25], states: [1], from: 0, to: 1e-24))
        #expect(found.solution.statuses == [status], "\(control) \(regularisation)")
        if status == .notFinite { #expect(found.parameters == [0, 0] && found.losses[0].isNaN) }
      }
    }
  }

  @Test func combinationsThatDoNotFitAreRefused() throws {
    let program = Fixtures.net(2, [4], .tanh)
    for trace in [Trace.none, .exactProduct] {
      let options = Fixtures.options("rk4", .fixed(steps: 2), trace: trace, regularisation: regularisations[1])
      let error = #expect(throws: KernelError.self) { try KernelSolver<Float>(program: program, options: options) }
      #expect("\(error as Any)".contains("trace"))
      #expect(throws: PureSwiftError.traceHasNoTangents(trace)) {
        try PureSwiftSolver<Float>(program: program, options: options, tableau: try Methods.named("rk4"))
      }
    }
    let problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 1), states: [1, 2], from: 0, to: 1)
    let loss = Loss<Double>.cotangents(states: [1, 1], logDeterminants: [0])
    for (_, solver) in try solvers(program, Fixtures.options("rk4", .fixed(steps: 2))) {
      for regularisation in regularisations {
        #expect(throws: (any Error).self) { try solver.gradient(of: loss, regularisation: regularisation, at: problem) }
      }
    }
    for (_, solver) in try solvers(program, Fixtures.options("rk4", .fixed(steps: 2), regularisation: Self.both)) {
      #expect(throws: (any Error).self) {
        try solver.gradient(of: loss, regularisation: Regularisation(kineticEnergy: .nan), at: problem)
      }
      // With cotangents the coefficient is dL/d(integral). Here the loss is the kinetic energy alone.
      let alone = try solver.gradient(
        of: .cotangents(states: [0, 0], logDeterminants: [0]), regularisation: Regularisation(kineticEnergy: 1),
        at: problem)
      #expect(alone.losses.isEmpty && alone.parameters.contains { $0 != 0 })
    }
  }
}
