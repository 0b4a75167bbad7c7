import CNFKernels

/// A solve with the polynomials of its steps: states at any time between, without solving again.
///
/// ```swift
/// let path = try solver.denseSolution(problem)
/// for time in stride(from: 0, through: 1, by: 0.01) {
///   print(path.state(at: time, ofSample: 0), path.logDeterminant(at: time, ofSample: 0))
/// }
/// ```
///
/// Within a step errors are of its length to the power of `order` + 1, and states at its ends are those of the solve to rounding.
public struct DenseSolution<Scalar: FlowScalar>: Sendable {
  public let solution: Solution<Scalar>
  public let stateDimension: Int
  /// Of the method's interpolant.
  public let order: Int
  private let terms: Int
  private let stride: Int
  private let coefficients: [Scalar]
  private let ends: [Double]

  fileprivate init(_ outputs: SolveOutputs<Scalar>, dimension: Int, order: Int, terms: Int, stride: Int) {
    solution = outputs.solution()
    stateDimension = dimension
    self.order = order
    self.terms = terms
    self.stride = stride
    coefficients = outputs.coefficients
    ends = outputs.ends
  }

  public var count: Int { solution.statuses.count }

  /// The state `[D]` of one sample at `time`; NaN where it has none: before the start, or beyond where it came.
  public func state(at time: Double, ofSample sample: Int) -> [Scalar] { values(sample, time).state }

  /// Its log-determinant, from the start time on; NaN likewise.
  public func logDeterminant(at time: Double, ofSample sample: Int) -> Double { values(sample, time).logDeterminant }

  /// All samples' states at `time`, `[count][D]`.
  public func states(at time: Double) -> [Scalar] { (0..<count).flatMap { state(at: time, ofSample: $0) } }

  /// All samples' log-determinants at `time`, `[count]`.
  public func logDeterminants(at time: Double) -> [Double] {
    (0..<count).map { logDeterminant(at: time, ofSample: $0) }
  }

  private func values(_ sample: Int, _ time: Double) -> (state: [Scalar], logDeterminant: Double) {
    precondition(sample >= 0 && sample < count, "sample \(sample) of \(count)")
    var state = [Scalar](repeating: .nan, count: stateDimension)
    var logDeterminant = Double.nan
    coefficients.withUnsafeBytes { coefficients in
      ends.withUnsafeBufferPointer { ends in
        var dense = cnf_dense()
        dense.struct_size = MemoryLayout<cnf_dense>.size
        dense.dtype = Int32((Scalar.self == Float.self ? CNF_FLOAT32 : CNF_FLOAT64).rawValue)
        dense.state_dim = Int32(stateDimension)
        dense.terms = Int32(terms)
        dense.count = count
        dense.stride = stride
        dense.coefficients = coefficients.baseAddress
        dense.ends = ends.baseAddress
        var time = time
        let status = state.withUnsafeMutableBytes {
          cnf_dense_evaluate(&dense, sample, &time, 1, $0.baseAddress, &logDeterminant)
        }
        precondition(status == CNF_OK, "cnf_dense_evaluate refuses what the solver has written")
      }
    }
    return (state, logDeterminant)
  }
}

/// Steps of a sample that are made room for before it is known how many there are.
private let likelySteps = 64

extension KernelSolver {
  /// Solves, and keeps the polynomials of every step. Solves again where adaptive steps are more than there was room for.
  public func denseSolution(_ problem: SolveProblem<Scalar>) throws(KernelError) -> DenseSolution<Scalar> {
    let interpolant = try Methods.interpolant(of: options.method)
    var stride = likelySteps
    if case .fixed(let steps) = options.control {
      stride = problem.stepFractions.map { $0.count - 1 } ?? steps * (problem.outputTimes.count + 1)
    }
    stride = max(stride, 1)
    var outputs = try outputs(of: problem, denseTerms: interpolant.terms, denseStride: stride)
    if let most = outputs.accepted.max(), outputs.leftOut.contains(where: { $0 > 0 }) {
      stride = Int(most)
      outputs = try self.outputs(of: problem, denseTerms: interpolant.terms, denseStride: stride)
    }
    return DenseSolution(
      outputs, dimension: program.stateDimension, order: interpolant.order, terms: interpolant.terms, stride: stride)
  }
}

extension Methods {
  /// Order and number of terms of the method's interpolant.
  static func interpolant(of name: String) throws(KernelError) -> (order: Int, terms: Int) {
    var info = cnf_method_info()
    info.struct_size = MemoryLayout<cnf_method_info>.size
    let status = cnf_method_get(try index(of: name), &info)
    precondition(status == CNF_OK, "method '\(name)' has no description")
    return (Int(info.dense_order), Int(info.dense_terms))
  }
}
