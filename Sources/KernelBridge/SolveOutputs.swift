import CNFKernels

/// The arrays that C writes the results of one solve to.
struct SolveOutputs<Scalar: FlowScalar> {
  private let states: OutputArray<Scalar>
  private let logDeterminants: OutputArray<Double>
  private let timesReached: OutputArray<Double>
  private let statuses: OutputArray<Int32>
  private let acceptedSteps: OutputArray<Int32>
  private let rejectedSteps: OutputArray<Int32>
  private let evaluations: OutputArray<Int32>
  private let adjointEvaluations: OutputArray<Int32>
  private let smallestSteps: OutputArray<Double>
  /// Empty if the solver does not integrate them.
  private let kineticEnergies: OutputArray<Double>
  private let frobeniusNorms: OutputArray<Double>
  /// `[count][stride]`; empty if not requested.
  private let stepFractions: OutputArray<Double>
  private let stride: Int
  /// `[count][times][D]` and `[count][times]`.
  private let statesAtTimes: OutputArray<Scalar>
  private let logDeterminantsAtTimes: OutputArray<Double>
  /// Empty unless the adjoint is `.reversible`.
  private let reconstructionErrors: OutputArray<Double>
  /// Empty if the problem has no events.
  private let events: OutputArray<Int32>
  /// `[count][dense stride][terms][D+1]`; empty if not requested.
  private let dense: OutputArray<Scalar>
  private let denseEnds: OutputArray<Double>
  private let denseLeftOut: OutputArray<Int32>
  private let denseStride: Int

  /// For dense output, `denseTerms` is the number of terms of the method's polynomials, and `denseStride` the number of
  /// steps per sample that fit. Without dense output both are 0.
  init(
    count: Int, dimension: Int, options: SolverOptions, times: Int, fractionStride: Int = 0, hasEvents: Bool = false,
    denseTerms: Int = 0, denseStride: Int = 0
  ) {
    func counts() -> OutputArray<Int32> { OutputArray(repeating: 0, count: count) }
    func numbers(_ isWanted: Bool = true) -> OutputArray<Double> {
      OutputArray(repeating: 0, count: isWanted ? count : 0)
    }
    states = OutputArray(repeating: 0, count: count * dimension)
    logDeterminants = numbers()
    timesReached = numbers()
    statuses = counts()
    acceptedSteps = counts()
    rejectedSteps = counts()
    evaluations = counts()
    adjointEvaluations = counts()
    smallestSteps = numbers()
    kineticEnergies = numbers(options.integratesKineticEnergy)
    frobeniusNorms = numbers(options.integratesFrobeniusNorm)
    stepFractions = OutputArray(repeating: .nan, count: count * fractionStride)
    stride = fractionStride
    statesAtTimes = OutputArray(repeating: .nan, count: count * times * dimension)
    logDeterminantsAtTimes = OutputArray(repeating: .nan, count: count * times)
    reconstructionErrors = numbers(options.adjoint == .reversible)
    events = OutputArray(repeating: -1, count: hasEvents ? count : 0)
    dense = OutputArray(repeating: 0, count: count * denseStride * denseTerms * (dimension + 1))
    denseEnds = OutputArray(repeating: .nan, count: denseStride > 0 ? count * (denseStride + 1) : 0)
    denseLeftOut = OutputArray(repeating: 0, count: denseStride > 0 ? count : 0)
    self.denseStride = denseStride
  }

  var accepted: [Int32] { acceptedSteps.array }
  var fractions: [Double] { stepFractions.array }
  var coefficients: [Scalar] { dense.array }
  var ends: [Double] { denseEnds.array }
  var leftOut: [Int32] { denseLeftOut.array }

  /// Calls `body` with a C struct that points to the arrays. The pointers are valid during the call only.
  func withC<Result>(_ body: (UnsafeMutablePointer<cnf_solve_output>) -> Result) -> Result {
    var output = cnf_solve_output()
    output.struct_size = MemoryLayout<cnf_solve_output>.size
    output.x1 = UnsafeMutableRawPointer(states.pointer)
    output.log_det = logDeterminants.pointer
    output.t_reached = timesReached.pointer
    output.status = statuses.pointer
    output.accepted = acceptedSteps.pointer
    output.rejected = rejectedSteps.pointer
    output.evaluations = evaluations.pointer
    output.adjoint_evaluations = adjointEvaluations.pointer
    output.smallest_step = smallestSteps.pointer
    output.kinetic = kineticEnergies.pointer
    output.frobenius = frobeniusNorms.pointer
    output.step_fractions = stepFractions.pointer
    output.step_fraction_stride = stride
    output.x_at = UnsafeMutableRawPointer(statesAtTimes.pointer)
    output.log_det_at = logDeterminantsAtTimes.pointer
    output.reconstruction_error = reconstructionErrors.pointer
    output.event = events.pointer
    output.dense = UnsafeMutableRawPointer(dense.pointer)
    output.dense_ends = denseEnds.pointer
    output.dense_stride = denseStride
    output.dense_left_out = denseLeftOut.pointer
    return withExtendedLifetime(self) { body(&output) }
  }

  /// The results that C has written. A status that this version does not know counts as `.notFinite`.
  func solution() -> Solution<Scalar> {
    Solution(
      states: states.array, logDeterminants: logDeterminants.array, timesReached: timesReached.array,
      statuses: statuses.array.map { SampleStatus(rawValue: $0) ?? .notFinite },
      acceptedSteps: accepted.map(Int.init), rejectedSteps: rejectedSteps.array.map(Int.init),
      evaluations: evaluations.array.map(Int.init), smallestSteps: smallestSteps.array,
      adjointEvaluations: adjointEvaluations.array.map(Int.init), kineticEnergies: kineticEnergies.array,
      frobeniusNorms: frobeniusNorms.array, statesAtTimes: statesAtTimes.array,
      logDeterminantsAtTimes: logDeterminantsAtTimes.array, reconstructionErrors: reconstructionErrors.array,
      events: events.array.map { $0 < 0 ? nil : Int($0) })
  }
}
