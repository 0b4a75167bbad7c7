import Foundation
import NeuralODE
import Testing

/// The quantities that Hamiltonian fields preserve, and the costs of OT-Flow's fields.
@Suite struct StructuredFieldTests {
  private static let dimension = PotentialCase.dimension
  private static let count = PotentialCase.count

  private func solver(
    _ program: FieldProgram, _ method: String, _ control: StepControl, trace: Trace = .none
  ) throws -> KernelSolver<Double> {
    try KernelSolver<Double>(program: program, options: Fixtures.options(method, control, trace: trace))
  }

  // MARK: Hamiltonian fields

  /// The trace of J S with a symmetric J and an antisymmetric S is 0. Only the rounding of about a hundred products of
  /// size 1 is left.
  @Test(arguments: PotentialCase.hamiltonians) func divergenceIsZero(test: PotentialCase) throws {
    let solver = try solver(test.program, "dopri5", .fixed(steps: 3), trace: .exactTangents)
    #expect(try solver.evaluate(test.problem()).divergences.allSatisfy { abs($0) < 100 * Double.ulpOfOne })
    #expect(test.program.isHamiltonian)
  }

  /// `isHamiltonian` is true for Hamilton's equations only. It is false if one constant or operation is changed.
  @Test func otherFieldsAreNotHamiltonian() throws {
    for test in PotentialCase.transports + [PotentialCase.costs] { #expect(!test.program.isHamiltonian) }
    #expect(!Fixtures.net(4, [6, 5], .tanh).isHamiltonian)
    #expect(!Fixtures.net(3, [6], .tanh).isHamiltonian)
    let program = try HamiltonianArchitecture(hidden: [5, 4]).program(stateDimension: 2)
    for number in program.operations.indices {
      guard case .scale(let input, let factor, let offset) = program.operations[number] else { continue }
      var changed = FieldProgram(stateDimension: 2)
      for (place, operation) in program.operations.enumerated() {
        changed.append(place == number ? .scale(input: input, by: factor + 0.5, plus: offset) : operation)
      }
      #expect(!changed.isHamiltonian, "operation \(number)")
    }
    var damped = program
    damped.append(.add(.init(index: program.operations.count), damped.append(.scale(input: .state, by: -0.1))))
    #expect(!damped.isHamiltonian)
  }

  private func energies(_ architecture: HamiltonianArchitecture, _ problem: SolveProblem<Double>) throws -> [Double] {
    let solver = try solver(architecture.energyProgram(stateDimension: Self.dimension), "dopri5", .fixed(steps: 1))
    let rows = try solver.evaluate(problem).velocities
    return stride(from: 0, to: rows.count, by: Self.dimension).map { rows[$0] }
  }

  private func largestDrift(
    _ architecture: HamiltonianArchitecture, _ method: String, _ control: StepControl, until end: Double
  ) throws -> Double {
    let program = try architecture.program(stateDimension: Self.dimension)
    var problem = SolveProblem<Double>(
      parameters: Fixtures.parameters(for: program, seed: 91), states: Fixtures.normals(Self.count * 4, seed: 92),
      from: 0, to: end)
    let before = try energies(architecture, problem)
    problem.states = try solver(program, method, control).solve(problem).states
    return zip(before, try energies(architecture, problem)).map { abs($0 - $1) }.max() ?? .infinity
  }

  /// H is constant along accurate paths: up to a thousand tolerances, for at most a thousand steps.
  @Test func energyIsConstant() throws {
    for isSeparable in [false, true] {
      let architecture = HamiltonianArchitecture(hidden: [9, 8], isSeparable: isSeparable)
      let control = StepControl.perSample(rtol: 1e-12, atol: 1e-12)
      #expect(try largestDrift(architecture, "dopri5", control, until: 10) < 1e-9)
    }
  }

  /// For partitioned methods, half the step gives a quarter or a sixteenth of the error of the energy. The error
  /// oscillates along a path, so the measured order may be off by one half.
  @Test(arguments: [("leapfrog", 2.0), ("yoshida4", 4.0)]) func symplecticEnergyErrors(
    method: String, order: Double
  ) throws {
    let architecture = HamiltonianArchitecture(hidden: [9, 8], isSeparable: true)
    let coarse = try largestDrift(architecture, method, .fixed(steps: 200), until: 20)
    let fine = try largestDrift(architecture, method, .fixed(steps: 400), until: 20)
    #expect(log2(coarse / fine) > order - 0.5, "\(coarse), \(fine)")
    // If the energy is not separable, these methods have order 1 only.
    let other = HamiltonianArchitecture(hidden: [9, 8])
    let (coarser, finer) = (
      try largestDrift(other, method, .fixed(steps: 200), until: 20),
      try largestDrift(other, method, .fixed(steps: 400), until: 20)
    )
    #expect(log2(coarser / finer) < order - 0.5, "\(coarser), \(finer)")
  }

  // MARK: Transport

  /// Compares both costs with their formulas. The velocities are those of the plain field. Differences of fourth order
  /// (1e-12) give the derivative of the potential by t.
  @Test func costsEqualTheirFormulas() throws {
    let (architecture, dimension) = (TransportArchitecture(width: 6, transportScale: 0.8), 2)
    let field = try solver(try architecture.program(stateDimension: dimension), "rk4", .fixed(steps: 1))
    let costs = try solver(try architecture.costProgram(stateDimension: dimension), "rk4", .fixed(steps: 1))
    let potential = try solver(architecture.potentialProgram(stateDimension: dimension), "rk4", .fixed(steps: 1))
    #expect(field.program.parameterCount == costs.program.parameterCount)
    #expect(field.program.linearLayouts.map(\.weightOffset) == costs.program.linearLayouts.map(\.weightOffset))
    let problem = PotentialCase.costs.problem(Double.self)
    var plain = problem
    plain.states = (0..<Self.count).flatMap { problem.states[$0 * 4..<$0 * 4 + dimension] }
    func phi(_ distance: Double) throws -> [Double] {
      var moved = plain
      moved.startTime += distance
      return try potential.evaluate(moved).velocities
    }
    let h = 0x1p-10
    let (near, back, far, farBack) = (try phi(h), try phi(-h), try phi(2 * h), try phi(-2 * h))
    let velocities = try field.evaluate(plain).velocities
    let found = try costs.evaluate(problem).velocities
    for sample in 0..<Self.count {
      let v = velocities[sample * dimension..<(sample + 1) * dimension]
      #expect(Array(found[sample * 4..<sample * 4 + dimension]) == Array(v))
      let transport = 0.5 * v.reduce(0) { $0 + $1 * $1 }
      #expect(abs(found[sample * 4 + 2] - transport) < 1e-14 * max(1, transport))
      let i = sample * dimension
      let byTime = (8 * (near[i] - back[i]) - (far[i] - farBack[i])) / (12 * h)
      let residual = abs(-byTime + 0.8 * transport)
      #expect(abs(found[sample * 4 + 3] - residual) < 1e-9 * max(1, residual))
    }
  }

  /// The trace of the cost program is that of x's field, because costs depend on x and nothing depends on costs.
  @Test func traceOfTheCostProgramEqualsThatOfTheField() throws {
    let (architecture, dimension) = (TransportArchitecture(width: 6, transportScale: 0.8), 2)
    let problem = PotentialCase.costs.problem(Double.self)
    var plain = problem
    plain.states = (0..<Self.count).flatMap { problem.states[$0 * 4..<$0 * 4 + dimension] }
    let field = try solver(
      try architecture.program(stateDimension: dimension), "rk4", .fixed(steps: 4), trace: .exactTangents)
    let costs = try solver(
      try architecture.costProgram(stateDimension: dimension), "rk4", .fixed(steps: 4), trace: .exactTangents)
    let (a, b) = (try field.solve(plain).logDeterminants, try costs.solve(problem).logDeterminants)
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-13 * max(1, abs($0)) })
    #expect(a.contains { abs($0) > 1e-3 })
  }

  /// A gradient has the parameters of its potential. It multiplies by each matrix once and by its transpose once, with
  /// width² + O(width D) multiply-adds each. So D tangents cost O(width² D).
  @Test func gradientSharesTheWeightsOfItsPotential() throws {
    for width in [8, 32] {
      let architecture = TransportArchitecture(width: width)
      let program = try architecture.program(stateDimension: 3)
      let plain = architecture.potentialProgram(stateDimension: 3)
      #expect(program.parameterCount == plain.parameterCount)
      // The forward part multiplies by K₀, K₁, w, A and b once, and the backward part by the transpose of each once.
      let forward = program.linearLayouts.reduce(0) { $0 + $1.rows * $1.columns }
      #expect(program.transposedProducts == forward)
      #expect(forward == width * 4 + width * width + width + 3 * 4 + 4)
    }
  }
}
