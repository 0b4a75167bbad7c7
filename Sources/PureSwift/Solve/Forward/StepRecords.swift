import FieldPrograms

/// The accepted steps of a chunk, as the backward pass needs them. Grows to the size a chunk needs and stays there.
struct StepRecords<Scalar: FlowScalar> {
  struct Step {
    var time: Double
    var length: Double
    /// Where it ended: time + length up to rounding.
    var end: Double
    /// The interval between output times that the step is in.
    var interval: Int
    /// Start and length of the step, as fractions of that interval.
    var fraction: Double
    var fractionLength: Double
    /// The sample's record before this; −1 for its first.
    var previous: Int
    /// Index of its state in `states`; −1 means that it must be recomputed.
    var state = -1
  }

  private(set) var steps: [Step] = []
  /// Stored states at the beginnings of steps, `[states][D]`.
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
