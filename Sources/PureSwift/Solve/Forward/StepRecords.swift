import FieldPrograms

/// Accepted steps of a chunk: what the reverse sweep needs to take them again. Grows to what a chunk needs and stays
/// there.
struct StepRecords<Scalar: FlowScalar> {
  struct Step {
    var time: Double
    var length: Double
    /// Which interval between output times it is in.
    var interval: Int
    /// Where the step begins, and how long it is, as fractions of that interval.
    var fraction: Double
    var fractionLength: Double
    /// The sample's record before this; −1 for its first.
    var previous: Int
    /// Where its state is among `states`; −1: it is to be made again.
    var state = -1
  }

  private(set) var steps: [Step] = []
  /// States at the beginnings of steps that have them, `[states][D]`.
  private(set) var states: [Scalar] = []

  mutating func removeAll() {
    steps.removeAll(keepingCapacity: true)
    states.removeAll(keepingCapacity: true)
  }

  /// Appends a step of the sample in `lane` of `state`, with or without its state; returns its number.
  mutating func append<V: LaneVector>(_ step: Step, _ state: Panel<V>, lane: Int, withState: Bool) -> Int
  where V.Scalar == Scalar {
    steps.append(step)
    guard withState else { return steps.count - 1 }
    steps[steps.count - 1].state = states.count / state.rows
    for row in 0..<state.rows { states.append(state[row, lane: lane]) }
    return steps.count - 1
  }
}
