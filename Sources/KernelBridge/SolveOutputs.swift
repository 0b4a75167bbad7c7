import CNFKernels

/// The arrays that C writes one solve's results to.
struct SolveOutputs<Scalar: FlowScalar> {
  private var states: [Scalar]
  private var logDeterminants: [Double]
  private var timesReached: [Double]
  private var statuses: [Int32]
  private(set) var accepted: [Int32]
  private var rejected: [Int32]
  private var evaluations: [Int32]
  private var adjointEvaluations: [Int32]
  private var smallestSteps: [Double]
  /// `[count][stride]`; empty where not asked for.
  private(set) var fractions: [Double]
  private let stride: Int

  init(count: Int, dimension: Int, fractionStride: Int = 0) {
    states = Array(repeating: 0, count: count * dimension)
    logDeterminants = Array(repeating: 0, count: count)
    timesReached = logDeterminants
    statuses = Array(repeating: 0, count: count)
    accepted = statuses
    rejected = statuses
    evaluations = statuses
    adjointEvaluations = statuses
    smallestSteps = logDeterminants
    fractions = Array(repeating: .nan, count: count * fractionStride)
    stride = fractionStride
  }

  /// Calls `body` with the arrays as C writes them; the pointers live as long as the call.
  mutating func withC<Result>(_ body: (UnsafeMutablePointer<cnf_solve_output>) -> Result) -> Result {
    var output = cnf_solve_output()
    output.struct_size = MemoryLayout<cnf_solve_output>.size
    return states.withUnsafeMutableBytes { states in
      output.x1 = states.baseAddress
      return logDeterminants.withUnsafeMutableBufferPointer { logDeterminants in
        output.log_det = logDeterminants.baseAddress
        return timesReached.withUnsafeMutableBufferPointer { timesReached in
          output.t_reached = timesReached.baseAddress
          return statuses.withUnsafeMutableBufferPointer { statuses in
            output.status = statuses.baseAddress
            return accepted.withUnsafeMutableBufferPointer { accepted in
              output.accepted = accepted.baseAddress
              return rejected.withUnsafeMutableBufferPointer { rejected in
                output.rejected = rejected.baseAddress
                return evaluations.withUnsafeMutableBufferPointer { evaluations in
                  output.evaluations = evaluations.baseAddress
                  return fractions.withUnsafeMutableBufferPointer { fractions in
                    output.step_fractions = stride == 0 ? nil : fractions.baseAddress
                    output.step_fraction_stride = stride
                    return smallestSteps.withUnsafeMutableBufferPointer { smallestSteps in
                      output.smallest_step = smallestSteps.baseAddress
                      return adjointEvaluations.withUnsafeMutableBufferPointer { adjointEvaluations in
                        output.adjoint_evaluations = adjointEvaluations.baseAddress
                        return body(&output)
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  /// What has been written, as the shared type. A status that this version does not know counts as "not finite".
  consuming func solution() -> Solution<Scalar> {
    Solution(
      states: states, logDeterminants: logDeterminants, timesReached: timesReached,
      statuses: statuses.map { SampleStatus(rawValue: $0) ?? .notFinite }, acceptedSteps: accepted.map(Int.init),
      rejectedSteps: rejected.map(Int.init), evaluations: evaluations.map(Int.init), smallestSteps: smallestSteps,
      adjointEvaluations: adjointEvaluations.map(Int.init))
  }
}
