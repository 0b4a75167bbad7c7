import CNFKernels

/// The result of a solve with a polynomial for each step. It gives the state at any time without solving again.
///
/// ```swift
/// let path = try solver.denseSolution(problem)
/// for time in stride(from: 0, through: 1, by: 0.01) {
///   print(path.state(at: time, ofSample: 0), path.logDeterminant(at: time, ofSample: 0))
/// }
/// ```
///
/// Within a step of length h, the error of the polynomial is O(h^(`order` + 1)). At the ends of a step, the states
/// equal those of the solve up to rounding.
public struct DenseSolution<Scalar: FlowScalar>: Sendable {
  public let solution: Solution<Scalar>
  public let stateDimension: Int
  /// The order of the method's interpolation polynomial.
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

  /// The state `[D]` of one sample at `time`. It is NaN before the start time and after the last time that was reached.
  public func state(at time: Double, ofSample sample: Int) -> [Scalar] { values(sample, time).state }

  /// The log-determinant of one sample from the start time to `time`; NaN where the state is.
  public func logDeterminant(at time: Double, ofSample sample: Int) -> Double { values(sample, time).logDeterminant }

  /// The states of all samples at `time`, `[count][D]`.
  public func states(at time: Double) -> [Scalar] { (0..<count).flatMap { state(at: time, ofSample: $0) } }

  /// The log-determinants of all samples at `time`, `[count]`.
  public func logDeterminants(at time: Double) -> [Double] {
    (0..<count).map { logDeterminant(at: time, ofSample: $0) }
  }

  private func values(_ sample: Int, _ time: Double) -> (state: [Scalar], logDeterminant: Double) {
    precondition(sample >= 0 && sample < count, "there is no sample \(sample): there are \(count), from 0 on")
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
        precondition(status == CNF_OK, "cnf_dense_evaluate refuses the polynomials of its own solver")
      }
    }
    return (state, logDeterminant)
  }
}

/// The number of steps per sample to allocate for while the actual number is unknown.
private let initialStepCapacity = 64

extension KernelSolver {
  /// Solves the problem and keeps the polynomials of every step.
  ///
  /// Solves a second time, with more memory, if some sample takes more adaptive steps than the first allocation holds.
  ///
  /// - Throws: `KernelError` if an option or the problem is refused, or memory is short.
  public func denseSolution(_ problem: SolveProblem<Scalar>) throws(KernelError) -> DenseSolution<Scalar> {
    let interpolant = try Methods.interpolant(of: options.method)
    var stride = initialStepCapacity
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
  /// The order and the number of terms of the method's interpolation polynomial.
  static func interpolant(of name: String) throws(KernelError) -> (order: Int, terms: Int) {
    var info = cnf_method_info()
    info.struct_size = MemoryLayout<cnf_method_info>.size
    let status = cnf_method_get(try index(of: name), &info)
    precondition(status == CNF_OK, "method '\(name)' has no description")
    return (Int(info.dense_order), Int(info.dense_terms))
  }
}
