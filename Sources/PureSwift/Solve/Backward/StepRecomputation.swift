import FieldPrograms

/// Recomputes the states of steps whose records store none, from the last stored state before them. The arithmetic is
/// that of the forward solve, so the bits are the same. When a lane reaches the end of such a segment, it recomputes
/// the whole segment.
final class StepRecomputation<V: LaneVector> {
  private let job: SolveJob<V.Scalar>
  private let evaluator: FieldEvaluator<V>
  private let tape: FieldTape<V>
  private let state: Panel<V>
  private let next: Panel<V>
  private let velocities: [Panel<V>]
  private let stepLengths: Panel<V>
  /// For every lane: its records from one with a state on, their states `[records][D]`, and which of them is wanted.
  private var segments: [[Int]]
  private var states: [[V.Scalar]]
  private var wanted: [Int]
  private var isFilling: [Bool]

  init(job: SolveJob<V.Scalar>, evaluator: FieldEvaluator<V>) {
    let dimension = job.plan.stateDimension
    let pool = evaluator.pool
    let lanes = job.groups * V.scalarCount
    self.job = job
    self.evaluator = evaluator
    tape = evaluator.makeTape(isReversible: false)
    state = pool.panel(rows: dimension, groups: job.groups)
    next = pool.panel(rows: dimension, groups: job.groups)
    velocities = (0..<job.table.stages).map { _ in pool.panel(rows: dimension, groups: job.groups) }
    stepLengths = pool.panel(rows: 1, groups: job.groups)
    segments = Array(repeating: [], count: lanes)
    states = Array(repeating: [], count: lanes)
    wanted = Array(repeating: 0, count: lanes)
    isFilling = Array(repeating: false, count: lanes)
  }

  /// Drops all segments, because record numbers are those of one chunk.
  func removeAll() {
    for lane in segments.indices { segments[lane].removeAll(keepingCapacity: true) }
  }

  /// Row `row` of the state at the beginning of the lane's step; call `prepare` first.
  @inline(__always)
  func state(
    _ row: Int, lane: Int, of step: StepRecords<V.Scalar>.Step, _ records: StepRecords<V.Scalar>
  ) -> V.Scalar {
    step.state >= 0
      ? records.states[step.state * state.rows + row] : states[lane][wanted[lane] * state.rows + row]
  }

  /// Makes sure that every active lane has the state of its record.
  func prepare(_ lanes: [DiscreteAdjointLane], _ records: StepRecords<V.Scalar>) {
    var longest = 1
    var model = -1
    for lane in lanes.indices {
      isFilling[lane] = false
      guard lanes[lane].isActive, records.steps[lanes[lane].record].state < 0 else { continue }
      if let place = segments[lane].firstIndex(of: lanes[lane].record) {
        wanted[lane] = place
        continue
      }
      collect(lanes[lane].record, lane, records)
      isFilling[lane] = true
      if segments[lane].count > longest { (longest, model) = (segments[lane].count, lane) }
    }
    for place in 0..<longest - 1 { makeStep(place, model: model, records) }
  }

  /// The records from the last one with a state to `record`, and memory for their states.
  private func collect(_ record: Int, _ lane: Int, _ records: StepRecords<V.Scalar>) {
    let dimension = state.rows
    var number = record
    segments[lane].removeAll(keepingCapacity: true)
    while records.steps[number].state < 0 {
      segments[lane].append(number)
      number = records.steps[number].previous
    }
    segments[lane].append(number)
    segments[lane].reverse()
    wanted[lane] = segments[lane].count - 1
    let missing = segments[lane].count * dimension - states[lane].count
    if missing > 0 { states[lane].append(contentsOf: repeatElement(0, count: missing)) }
    let first = records.steps[number].state * dimension
    for row in 0..<dimension { states[lane][row] = records.states[first + row] }
  }

  /// Advances from the states at `place` of the unfinished segments to those after them. Other lanes copy `model`.
  private func makeStep(_ place: Int, model: Int, _ records: StepRecords<V.Scalar>) {
    let table = job.table
    let dimension = state.rows
    for lane in segments.indices {
      let from = goesOn(lane, place) ? lane : model
      stepLengths[0, lane: lane] = V.Scalar(records.steps[segments[from][place]].length)
      for row in 0..<dimension { state[row, lane: lane] = states[from][place * dimension + row] }
    }
    for stage in velocities.indices where table.reachesState[stage] {
      combine(state, stepLengths, table.a[stage], velocities, count: stage, into: tape.state)
      for lane in segments.indices {
        let step = records.steps[segments[goesOn(lane, place) ? lane : model][place]]
        evaluator.times[lane] = timeInStep(step.time, step.length, table.timeFractions[stage], end: step.end)
      }
      evaluator.value(tape)
      velocities[stage].copy(tape.velocity)
    }
    combine(state, stepLengths, table.b, velocities, count: velocities.count, into: next)
    for lane in segments.indices where goesOn(lane, place) {
      for row in 0..<dimension { states[lane][(place + 1) * dimension + row] = next[row, lane: lane] }
    }
  }

  private func goesOn(_ lane: Int, _ place: Int) -> Bool { isFilling[lane] && place + 1 < segments[lane].count }
}
