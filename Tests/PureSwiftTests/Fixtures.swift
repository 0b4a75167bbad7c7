import FieldPrograms
import PureSwift

/// Tableaus, written out here so that the tests do not need the table of another module.
enum Fixtures {
  static let rk4 = ButcherTableau(
    name: "rk4", citation: "Kutta 1901", order: 4, embeddedOrder: 0,
    a: [[0, 0, 0, 0], [0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 0]],
    b: [1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6], c: [0, 0.5, 0.5, 1], e: [], isFirstSameAsLast: false)

  /// The explicit midpoint rule, with Euler's rule as the embedded one: it is adaptive but not first-same-as-last, and
  /// b₁ = 0.
  static let midpointEuler = ButcherTableau(
    name: "midpoint-euler", citation: "Runge 1895", order: 2, embeddedOrder: 1, a: [[0, 0], [0.5, 0]], b: [0, 1],
    c: [0, 0.5], e: [-1, 1], isFirstSameAsLast: false)

  static let dopri5: ButcherTableau = {
    let b = [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0]
    let embedded = [
      5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40,
    ]
    return ButcherTableau(
      name: "dopri5", citation: "Dormand and Prince 1980", order: 5, embeddedOrder: 4,
      a: [
        [0, 0, 0, 0, 0, 0, 0],
        [1.0 / 5, 0, 0, 0, 0, 0, 0],
        [3.0 / 40, 9.0 / 40, 0, 0, 0, 0, 0],
        [44.0 / 45, -56.0 / 15, 32.0 / 9, 0, 0, 0, 0],
        [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729, 0, 0, 0],
        [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656, 0, 0],
        b,
      ],
      b: b, c: [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1], e: zip(b, embedded).map { $0 - $1 },
      isFirstSameAsLast: true)
  }()

  static let rk438 = ButcherTableau(
    name: "rk4_38", citation: "Kutta 1901", order: 4, embeddedOrder: 0,
    a: [[0, 0, 0, 0], [1.0 / 3, 0, 0, 0], [-1.0 / 3, 1, 0, 0], [1, -1, 1, 0]],
    b: [1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8], c: [0, 1.0 / 3, 2.0 / 3, 1], e: [], isFirstSameAsLast: false)

  static let explicitAdams = ButcherTableau(
    name: "explicit_adams", family: .explicitAdams, citation: "Bashforth and Adams 1883", order: 4, embeddedOrder: 0,
    a: [], b: [], c: [], e: [], isFirstSameAsLast: false)
  static let implicitAdams = ButcherTableau(
    name: "implicit_adams", family: .implicitAdams, citation: "Moulton 1926", order: 5, embeddedOrder: 0,
    a: [], b: [], c: [], e: [], isFirstSameAsLast: false)

  static let rodas4 = ButcherTableau(
    name: "rodas4", family: .rosenbrock, citation: "Hairer and Wanner 1996", order: 4, embeddedOrder: 3,
    a: [
      [0, 0, 0, 0, 0, 0],
      [1.544, 0, 0, 0, 0, 0],
      [0.9466785280815826, 0.2557011698983284, 0, 0, 0, 0],
      [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0, 0, 0],
      [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0, 0],
      [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 0],
    ],
    b: [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 1], c: [],
    e: [0, 0, 0, 0, 0, 1], isFirstSameAsLast: false,
    rosenbrock: ButcherTableau.Rosenbrock(
      gamma: 0.25,
      c: [
        [0, 0, 0, 0, 0, 0],
        [-5.6688, 0, 0, 0, 0, 0],
        [-2.430093356833875, -0.2063599157091915, 0, 0, 0, 0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0, 0, 0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0, 0],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054, 0],
      ],
      alpha: [0, 0.386, 0.21, 0.63, 1, 1],
      d: [0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0],
      second: [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662, 0],
      third: [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872, 0]))

  /// Normal random numbers. The same seed gives the same numbers in every run.
  static func normals<Scalar: FlowScalar>(_ count: Int, seed: UInt64, scale: Double = 1) -> [Scalar] {
    let source = RandomSource(seed: seed, stream: .data)
    return (0..<count).map { Scalar(scale * source.normal(sample: 0, dimension: $0)) }
  }

  /// A program with every operation: a separate activation, a residual connection, two time inputs, and a concatenation
  /// of hidden blocks.
  static func residualProgram(dimension: Int, activation: Activation) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    let time = program.append(.time)
    let input = program.append(.concatenate(.state, time))
    let first = program.append(.linear(input: input, rows: 4, activation: activation))
    let second = program.append(.linear(input: first, rows: 4, activation: .identity))
    let residual = program.append(.add(first, second))
    let activated = program.append(.activation(input: residual, activation))
    let again = program.append(.time)
    let both = program.append(.concatenate(activated, again))
    let last = program.append(.linear(input: both, rows: dimension, activation: .identity))
    program.append(.add(last, .state))
    return program
  }

  static func solver<Scalar: FlowScalar>(
    _ program: FieldProgram, _ control: StepControl, trace: Trace, tableau: ButcherTableau,
    probes: Int = 1, probe: Probe = .rademacher, threads: Int? = 1,
    maximumSteps: Int = 4096, regularisation: Regularisation = .none
  ) throws -> PureSwiftSolver<Scalar> {
    try PureSwiftSolver(
      program: program,
      options: SolverOptions(
        method: tableau.name, control: control, maximumSteps: maximumSteps, trace: trace, probe: probe,
        probeCount: probes, threads: threads, integratesKineticEnergy: regularisation.kineticEnergy != 0,
        integratesFrobeniusNorm: regularisation.frobeniusNorm != 0),
      tableau: tableau)
  }
}

/// |a − b| divided by the larger of |a|, |b| and `floor`.
func relativeError(_ a: Double, _ b: Double, floor: Double = 1e-3) -> Double {
  abs(a - b) / max(abs(a), abs(b), floor)
}
