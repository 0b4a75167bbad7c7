import CLibrary
import NeuralODE

/// The cost of a change of volume per sample, as a function of the dimension D: `log |det|` of a dense Jacobian, as a
/// discrete flow without a special form needs it, compared with the traces of a continuous flow.
///
/// The field is a tanh multilayer perceptron that reads `[x, t]`. All figures are for doubles on one thread. The
/// determinant is that of `I + h J`, one step of a residual net x + h f(x), for a given Jacobian; the Jacobian itself
/// costs D tangents more.
public struct DivergenceCost: Sendable {
  public enum Method: String, Sendable, CaseIterable {
    /// LU factors by LAPACK: O(D³).
    case determinant
    /// D tangents through the field.
    case tangents
    /// One product of hidden × hidden numbers.
    case product
    /// One tangent, which gives an estimate.
    case hutchinson

    fileprivate var trace: Trace? {
      switch self {
      case .determinant: nil
      case .tangents: .exactTangents
      case .product: .exactProduct
      case .hutchinson: .hutchinson
      }
    }
  }

  public let dimension: Int
  /// Widths of the hidden layers; at most two, for `product`.
  public let hidden: [Int]

  /// Number of samples of an evaluation: whole tiles of every instruction set.
  private static let batch = 96
  /// h of the residual step: small enough for `I + h J` to be well conditioned.
  private static let step = 0.1

  private let program: FieldProgram
  private let parameters: [Double]
  private let states: [Double]
  /// `I + h J` at the first state, row-major.
  private let residual: [Double]

  /// Creates the field, and checks all four methods against its Jacobian at one state.
  ///
  /// - Parameters:
  ///   - dimension: a power of two, so that there are orthogonal probes.
  /// - Throws: `BenchmarkError.wrongVolume` if a method is wrong; `KernelError`.
  public init(dimension: Int, hidden: [Int]) throws {
    precondition(dimension >= 2 && dimension.nonzeroBitCount == 1, "dimension is \(dimension), must be a power of two")
    precondition((1...2).contains(hidden.count), "\(hidden.count) hidden layers, must be 1 or 2")
    self.dimension = dimension
    self.hidden = hidden
    program = .multilayerPerceptron(stateDimension: dimension, hidden: hidden, activation: .tanh)
    parameters = InitialParameters.uniform(for: program, seed: 0).map { Double($0) }
    states = try KernelRandom.normal(
      source: RandomSource(seed: 0, stream: .data), count: Self.batch, dimension: dimension)
    let jacobian = try Self.jacobian(program, parameters, Array(states.prefix(dimension)))
    residual = (0..<dimension * dimension).map {
      Self.step * jacobian[$0] + ($0 % (dimension + 1) == 0 ? 1 : 0)
    }
    try check(against: jacobian)
  }

  /// Processor seconds per sample, measured for about `seconds` in total on this thread.
  public func measure(_ method: Method, seconds: Double) throws -> Timing {
    guard let trace = method.trace else {
      return try Timing(threadSeconds: seconds) {
        _ = try LUFactors(of: residual, order: dimension).logAbsoluteDeterminant
      }
    }
    let solver = try solver(trace)
    let problem = SolveProblem(parameters: parameters, states: states, from: 0, to: 1)
    _ = try solver.evaluate(problem)
    return try Timing(threadSeconds: seconds) { _ = try solver.evaluate(problem) }.divided(by: Double(Self.batch))
  }

  private func solver(_ trace: Trace) throws -> KernelSolver<Double> {
    try KernelSolver(
      program: program, options: SolverOptions(method: "euler", control: .fixed(steps: 1), trace: trace, threads: 1))
  }

  /// ∂f/∂x at one state, `[D][D]`, by D vector-Jacobian products.
  private static func jacobian(_ program: FieldProgram, _ parameters: [Double], _ state: [Double]) throws -> [Double] {
    let dimension = state.count
    var units = [Double](repeating: 0, count: dimension * dimension)
    for row in 0..<dimension { units[row * (dimension + 1)] = 1 }
    let solver = try KernelSolver<Double>(
      program: program, options: SolverOptions(method: "euler", control: .fixed(steps: 1), trace: .none, threads: 1))
    return try solver.fieldGradient(
      of: .cotangents(velocities: units),
      at: SolveProblem(parameters: parameters, states: (0..<dimension).flatMap { _ in state }, from: 0, to: 1)
    ).states
  }

  /// Rounding of sums of D and H terms below one, times a margin of a hundred.
  private var tolerance: Double { 100 * Double(dimension + (hidden.max() ?? 0)) * Double.ulpOfOne }

  private func check(against jacobian: [Double]) throws {
    let state = Array(states.prefix(dimension))
    let trace = (0..<dimension).reduce(0) { $0 + jacobian[$1 * (dimension + 1)] }
    func divergence(_ kind: Trace, _ states: [Double], _ probes: [Double]?) throws -> [Double] {
      try solver(kind).evaluate(
        SolveProblem(parameters: parameters, states: states, from: 0, to: 1, probes: probes)
      ).divergences
    }
    func check(_ method: Method, _ found: Double, _ expected: Double) throws {
      guard abs(found - expected) <= tolerance else {
        throw BenchmarkError.wrongVolume(
          method: method.rawValue, dimension: dimension, found: found, expected: expected)
      }
    }
    try check(.tangents, try divergence(.exactTangents, state, nil)[0], trace)
    try check(.product, try divergence(.exactProduct, state, nil)[0], trace)
    // The rows of a Hadamard matrix are orthogonal, so the mean of their estimates is the trace itself.
    let probes = (0..<dimension * dimension).map { place in
      ((place / dimension) & (place % dimension)).nonzeroBitCount % 2 == 0 ? 1.0 : -1
    }
    let estimates = try divergence(.hutchinson, (0..<dimension).flatMap { _ in state }, probes)
    try check(.hutchinson, estimates.reduce(0, +) / Double(dimension), trace)
    // det (A Aᵀ) = (det A)², by another kind of factorisation.
    let factor = try choleskyLowerFactor(of: Self.gram(of: residual, order: dimension), order: dimension)
    try check(
      .determinant, try LUFactors(of: residual, order: dimension).logAbsoluteDeterminant,
      (0..<dimension).reduce(0) { $0 + log(factor[$1 * (dimension + 1)]) })
  }

  /// A Aᵀ, row-major; its lower triangle.
  private static func gram(of matrix: [Double], order: Int) -> [Double] {
    var gram = [Double](repeating: 0, count: order * order)
    for row in 0..<order {
      for column in 0...row {
        var sum = 0.0
        for inner in 0..<order { sum += matrix[row * order + inner] * matrix[column * order + inner] }
        gram[row * order + column] = sum
      }
    }
    return gram
  }
}
