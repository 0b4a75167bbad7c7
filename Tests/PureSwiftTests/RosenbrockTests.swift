import CLibrary
import FieldPrograms
import PureSwift
import Testing

/// Tests the Rosenbrock method: its order, also for fields that depend on time; stiff fields in few steps; matrices
/// that need row exchanges.
@Suite struct RosenbrockTests {
  private static func solver(
    _ program: FieldProgram, _ control: StepControl, trace: Trace = .exact, maximumSteps: Int = 4096
  ) throws -> PureSwiftSolver<Double> {
    try Fixtures.solver(program, control, trace: trace, tableau: Fixtures.rodas4, maximumSteps: maximumSteps)
  }

  /// The slope of log error over log h of states and log-determinants is at least 4 − 0.2. It is larger while the part
  /// of order 5 dominates the error.
  @Test(arguments: [
    FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [6, 5], activation: .tanh),
    Fixtures.residualProgram(dimension: 2, activation: .silu),
  ]) func orderIsFourAtLeast(program: FieldProgram) throws {
    let problem = SolveProblem<Double>(
      parameters: Fixtures.normals(program.parameterCount, seed: 30, scale: 0.6), states: Fixtures.normals(4, seed: 31),
      from: 0, to: 1)
    func solve(_ steps: Int) throws -> [Double] {
      let solution = try Self.solver(program, .fixed(steps: steps)).solve(problem)
      return solution.states + solution.logDeterminants
    }
    let exact = try solve(512)
    func error(_ steps: Int) throws -> Double { zip(try solve(steps), exact).map { abs($0 - $1) }.max() ?? .nan }
    let slope = try log2(error(16) / error(32))
    #expect(slope >= 3.8 && slope < 5.2, "slope \(slope)")
  }

  /// x′ = A x has eigenvalues −1 and −10⁶, and starts also along its fast direction. The solution is e^{−t}, in fewer
  /// steps than stability allows an explicit method. ℓ is exactly tr(A) t, because Simpson's rule is exact for
  /// constants.
  @Test func stiffLinearFlow() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    // A = [[−1, 0], [λ − 1, −λ]]: (1, 1) decays at the rate 1, and (0, 1) at the rate λ.
    let fast = 1e6
    let solver = try Self.solver(program, .perSample(rtol: 1e-7, atol: 1e-7))
    let solution = try solver.solve(
      SolveProblem(
        parameters: [-1, 0, fast - 1, -fast, 0, 0], states: [1, 1, 1, 3], from: 0, to: 2))
    #expect(solution.statuses == [.ok, .ok])
    for sample in 0..<2 {
      for row in 0..<2 { #expect(abs(solution.states[2 * sample + row] - exp(-2)) <= 1e-5) }  // 100 tolerances
      #expect(abs(solution.logDeterminants[sample] / (-2 * (1 + fast)) - 1) <= 1e-13)
      #expect(solution.acceptedSteps[sample] + solution.rejectedSteps[sample] < 200)
      // The first step's choice takes two evaluations. Each step takes six for its stages and two for the divergence.
      #expect(
        solution.evaluations[sample] == 2 + 8 * (solution.acceptedSteps[sample] + solution.rejectedSteps[sample]))
    }
  }

  /// A matrix 1/γ − hJ whose first pivot is not the largest entry of its column: J = [[0, 1], [−λ, −λ − 1]] with hλ ≫
  /// 4. The eigenvalues of J are −1 and −λ, and (1, −1) decays at the rate 1.
  @Test func rowsAreSwapped() throws {
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let (fast, tolerance) = (1e4, 1e-7)
    let solution = try Self.solver(program, .perSample(rtol: tolerance, atol: tolerance)).solve(
      SolveProblem(parameters: [0, 1, -fast, -fast - 1, 0, 0], states: [1, -1], from: 0, to: 2))
    #expect(solution.statuses == [.ok] && 2 / Double(solution.acceptedSteps[0]) * fast > 100)
    #expect(abs(solution.states[0] - exp(-2)) <= 100 * tolerance)
    #expect(abs(solution.states[1] + exp(-2)) <= 100 * tolerance)
  }

  /// Row sums and order conditions of the method's numbers, in the original coefficients: Γ⁻¹ = 1/γ − C, α = a Γ, b = m
  /// Γ.
  @Test func orderConditions() throws {
    let table = try #require(Fixtures.rodas4.rosenbrock)
    let (a, m) = (Fixtures.rodas4.a, Fixtures.rodas4.b)
    let stages = m.count
    var inverse = table.c.map { $0.map { -$0 } }
    for stage in 0..<stages { inverse[stage][stage] = 1 / table.gamma }
    // Forward substitution gives Γ, because both matrices are lower triangular.
    var gamma = Array(repeating: Array(repeating: 0.0, count: stages), count: stages)
    for column in 0..<stages {
      for row in column..<stages {
        let sum = (column..<row).reduce(row == column ? 1.0 : 0) { $0 - inverse[row][$1] * gamma[$1][column] }
        gamma[row][column] = sum / inverse[row][row]
      }
    }
    func times(_ left: [[Double]], _ right: [[Double]]) -> [[Double]] {
      left.map { row in
        (0..<stages).map { column in (0..<stages).reduce(0) { $0 + row[$1] * right[$1][column] } }
      }
    }
    let alphas = times(a, gamma)
    let b = times([m], gamma)[0]
    let beta = zip(alphas, gamma).map { zip($0, $1).map { $0 + $1 } }
    let alpha = alphas.map { $0.reduce(0, +) }
    let betaSums = beta.map { $0.reduce(0, +) }
    // Coefficients are published with 16 digits. The order conditions hold to 13 of them.
    let tolerance = 1e-12
    for stage in 0..<stages {
      #expect(abs(alpha[stage] - table.alpha[stage]) <= tolerance, "α of stage \(stage)")
      #expect(abs(gamma[stage].reduce(0, +) - table.d[stage]) <= tolerance, "d of stage \(stage)")
    }
    func sum(_ term: (Int) -> Double) -> Double { (0..<stages).reduce(0) { $0 + b[$1] * term($1) } }
    func of(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
      matrix.map { zip($0, vector).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let conditions: [(Double, Double)] = [
      (sum { _ in 1 }, 1), (sum { betaSums[$0] }, 1.0 / 2), (sum { alpha[$0] * alpha[$0] }, 1.0 / 3),
      (sum { of(beta, betaSums)[$0] }, 1.0 / 6), (sum { pow(alpha[$0], 3) }, 1.0 / 4),
      (sum { alpha[$0] * of(alphas, betaSums)[$0] }, 1.0 / 8),
      (sum { of(beta, alpha.map { $0 * $0 })[$0] }, 1.0 / 12), (sum { of(beta, of(beta, betaSums))[$0] }, 1.0 / 24),
    ]
    for (number, (found, exact)) in conditions.enumerated() {
      #expect(abs(found - exact) <= tolerance, "condition \(number): \(found), must be \(exact)")
    }
  }
}
