import FieldPrograms

/// Solves the samples of chunks in the lanes of one tile. Each lane has its own time and step, accepts and rejects by
/// itself, and takes the chunk's next sample when its sample is done. One solver per worker.
final class TileSolver<V: LaneVector> {
  let job: SolveJob<V.Scalar>
  let evaluator: FieldEvaluator<V>
  let tape: FieldTape<V>
  var lanes: [Lane]
  var active = 0
  var records = StepRecords<V.Scalar>()
  /// Last record of every sample of the chunk, or −1.
  var lastRecords: [Int] = []
  /// x of every lane, and its candidate at the end of the step.
  let state: Panel<V>
  let candidate: Panel<V>
  /// k of every stage, `[stages]` of `[D][lanes]`, and divergences `[stages][lanes]`.
  let velocities: [Panel<V>]
  let divergences: Panel<V>
  /// mean_D (J ε)² of every stage, and one spare row; no rows if it is not integrated.
  let frobeniusNorms: Panel<V>
  let firstFrobeniusNorm: Panel<V>
  /// h of every lane.
  let stepLengths: Panel<V>
  /// Error estimates `[D][lanes]`; also holds f₀ while the first step is chosen.
  let errors: Panel<V>
  /// The stages to evaluate, and those whose divergence is needed.
  private let evaluates: [Bool]
  private let wantsDivergence: [Bool]
  /// Slopes of past steps, for an Adams method.
  var adams: AdamsHistory<V>?
  /// The panels of a Rosenbrock method.
  var rosenbrock: RosenbrockPanels<V>?

  init(job: SolveJob<V.Scalar>, evaluator: FieldEvaluator<V>) {
    let table = job.table
    let dimension = job.plan.stateDimension
    let pool = evaluator.pool
    self.job = job
    self.evaluator = evaluator
    tape = evaluator.makeTape(isReversible: false)
    lanes = Array(repeating: Lane(), count: job.groups * V.scalarCount)
    state = pool.panel(rows: dimension, groups: job.groups)
    candidate = pool.panel(rows: dimension, groups: job.groups)
    velocities = (0..<table.stages).map { _ in pool.panel(rows: dimension, groups: job.groups) }
    divergences = pool.panel(rows: table.stages, groups: job.groups)
    let hasFrobenius = job.options.integratesFrobeniusNorm
    frobeniusNorms = pool.panel(rows: hasFrobenius ? table.stages : 0, groups: job.groups)
    firstFrobeniusNorm = pool.panel(rows: hasFrobenius ? 1 : 0, groups: job.groups)
    stepLengths = pool.panel(rows: 1, groups: job.groups)
    errors = pool.panel(rows: dimension, groups: job.groups)
    switch job.scheme {
    case .stages: break
    case .adams(_, let mostSlopes): adams = AdamsHistory(mostSlopes: mostSlopes, job: job, pool: pool)
    case .rosenbrock: rosenbrock = RosenbrockPanels(job: job, evaluator: evaluator)
    }
    let isAdaptive = job.controller != nil
    let errorHasDivergence = job.controller?.includesLogDeterminant ?? false
    evaluates = table.reachesState.map { $0 || isAdaptive }
    wantsDivergence = (0..<table.stages).map { stage in
      guard job.resolution.trace != .none, !job.scheme.isRosenbrock else { return false }
      let becomesFirst = isAdaptive && table.isFirstSameAsLast && stage == table.stages - 1
      return table.weights[stage] != 0 || becomesFirst || errorHasDivergence && table.errorWeights[stage] != 0
    }
  }

  /// Solves `samples` into the job's arrays. `records` and `lastRecords` hold their steps afterwards, if asked for.
  func solve(_ samples: Range<Int>, keepsRecords: Bool) {
    records.removeAll()
    lastRecords.removeAll(keepingCapacity: true)
    lastRecords.append(contentsOf: repeatElement(-1, count: samples.count))
    var next = samples.lowerBound
    while true {
      // Waiting until a quarter of the lanes is idle costs less than a start evaluation for every single lane. Lanes of
      // a multistep method share their past steps.
      let isRoomy = !job.scheme.isMultistep && (lanes.count - active) * 4 >= lanes.count
      if next < samples.upperBound && (active == 0 || isRoomy) {
        start(&next, samples.upperBound)
        continue
      }
      if active == 0 { return }
      prepareSteps()
      makeSteps()
      judge(samples.lowerBound, keepsRecords: keepsRecords)
    }
  }

  /// Computes the state at the end of every lane's step into `candidate`, and the other integrated quantities into the
  /// lanes.
  private func makeSteps() {
    switch job.scheme {
    case .stages: makeStagedSteps()
    case .adams(let isImplicit, _): makeAdamsSteps(isImplicit: isImplicit)
    case .rosenbrock(let table): makeRosenbrockSteps(table)
    }
  }

  func makeStagedSteps() {
    evaluateFirstStage()
    evaluateLaterStages()
    for lane in lanes.indices where lanes[lane].isActive { integrateBeside(lane) }
  }

  /// Binds samples to the idle lanes, and evaluates what an adaptive solve needs before its first step.
  private func start(_ next: inout Int, _ end: Int) {
    let isAdaptive = job.controller != nil
    var started = false
    for lane in lanes.indices where !lanes[lane].isActive {
      while next < end && !lanes[lane].isActive {
        load(next, into: lane)
        next += 1
      }
      started = started || lanes[lane].isActive
    }
    adams?.removeAll()
    if isAdaptive && started { chooseFirstSteps() }
  }

  /// A sample that is not finite, or has a time span of 0, ends here.
  private func load(_ sample: Int, into lane: Int) {
    let dimension = state.rows
    var isFinite = true
    for row in 0..<dimension {
      let value = job.problem.states[sample * dimension + row]
      state[row, lane: lane] = value
      isFinite = isFinite && value.isFinite
    }
    let intervals = job.problem.intervals(of: sample, timeCount: job.timeCount)
    lanes[lane] = Lane(sample: sample, time: intervals.start, intervals: intervals)
    active += 1
    if !evaluator.probes.isEmpty { job.loadProbes(of: sample, into: evaluator.probes, lane: lane) }
    job.loadInputs(of: sample, into: evaluator, lane: lane)
    if !isFinite { return finish(lane, .notFinite) }
    if !job.hasSteps(sample) { finish(lane, .ok) }
  }

  /// Writes a lane's results; the lane becomes idle.
  func finish(_ lane: Int, _ status: SampleStatus) {
    let finished = lanes[lane]
    for row in 0..<state.rows { job.states[finished.sample * state.rows + row] = state[row, lane: lane] }
    job.logDeterminants[finished.sample] = finished.logDeterminant
    job.times[finished.sample] = finished.time
    job.statuses[finished.sample] = status.rawValue
    job.accepted[finished.sample] = finished.accepted
    job.rejected[finished.sample] = finished.rejected
    job.evaluations[finished.sample] = finished.evaluations
    job.smallestSteps[finished.sample] = finished.smallestStep.isFinite ? finished.smallestStep : 0
    if job.options.integratesKineticEnergy { job.kineticEnergies[finished.sample] = finished.kineticEnergy }
    if job.options.integratesFrobeniusNorm { job.frobeniusNorms[finished.sample] = finished.frobeniusNorm }
    lanes[lane].sample = -1
    active -= 1
  }

  /// Sets time and length of every active lane's next step, which ends inside its interval or at its end.
  private func prepareSteps() {
    for lane in lanes.indices where lanes[lane].isActive {
      if let controller = job.controller {
        if lanes[lane].accepted + lanes[lane].rejected >= controller.maximumSteps {
          finish(lane, .maximumSteps)
          continue
        }
        lanes[lane].proposed = controller.bounded(
          lanes[lane].proposed, span: lanes[lane].end - lanes[lane].start, isFirst: lanes[lane].accepted == 0)
        (lanes[lane].step, lanes[lane].isLast) = controller.clipped(
          lanes[lane].proposed, from: lanes[lane].time, stop: lanes[lane].intervals.end(of: lanes[lane].interval),
          start: lanes[lane].start, end: lanes[lane].end)
        if lanes[lane].isLast && lanes[lane].proposed == 0 && lanes[lane].rejected > 0 {
          finish(lane, .notFinite)  // A step of no length was refused: no shorter one could be tried.
          continue
        }
        let smallest = controller.smallestStep(at: lanes[lane].time, end: lanes[lane].end)
        if !lanes[lane].isLast && abs(lanes[lane].step) < smallest {
          finish(lane, lanes[lane].lastWasNotFinite ? .notFinite : .stepTooSmall)
          continue
        }
      } else {
        let number = fixedNumber(lane)
        lanes[lane].isLast = number + 2 == job.fractions.count
        lanes[lane].step = fixedTime(number + 1, lane) - lanes[lane].time
      }
      stepLengths[0, lane: lane] = V.Scalar(lanes[lane].step)
    }
  }

  /// The number of a lane's next step among the fixed steps of its interval.
  func fixedNumber(_ lane: Int) -> Int {
    lanes[lane].accepted - lanes[lane].interval * (job.fractions.count - 1)
  }

  /// The time at which step `number` of the fixed steps of a lane's interval begins.
  func fixedTime(_ number: Int, _ lane: Int) -> Double {
    let begin = lanes[lane].intervals.begin(of: lanes[lane].interval)
    let end = lanes[lane].intervals.end(of: lanes[lane].interval)
    return number + 1 == job.fractions.count ? end : begin + job.fractions[number] * (end - begin)
  }

  /// Evaluates the first stage, for lanes that do not have it from their last step.
  func evaluateFirstStage() {
    var isWanted = false
    for lane in lanes.indices where lanes[lane].isActive && !lanes[lane].hasVelocity { isWanted = true }
    guard isWanted, evaluates[0] else { return }
    tape.state.copy(state)
    for lane in lanes.indices { evaluator.times[lane] = lanes[lane].time }
    evaluator.value(tape)
    let divergence = errors.rows(from: 0, count: 1)
    if wantsDivergence[0] { evaluator.divergence(tape, into: divergence, frobenius: firstFrobeniusNorm) }
    for lane in lanes.indices where lanes[lane].isActive && !lanes[lane].hasVelocity {
      for row in 0..<state.rows { velocities[0][row, lane: lane] = tape.velocity[row, lane: lane] }
      divergences[0, lane: lane] = divergence[0, lane: lane]
      if !frobeniusNorms.isEmpty { frobeniusNorms[0, lane: lane] = firstFrobeniusNorm[0, lane: lane] }
      lanes[lane].hasVelocity = true
      lanes[lane].evaluations += 1
    }
  }

  private func evaluateLaterStages() {
    for stage in velocities.indices.dropFirst() where evaluates[stage] {
      combine(state, stepLengths, job.table.a[stage], velocities, count: stage, into: tape.state)
      let fraction = job.table.timeFractions[stage]
      for lane in lanes.indices {
        evaluator.times[lane] = lanes[lane].time(at: fraction)
      }
      evaluator.value(tape)
      velocities[stage].copy(tape.velocity)
      if wantsDivergence[stage] {
        evaluator.divergence(
          tape, into: divergences.rows(from: stage, count: 1), frobenius: frobeniusNorms.row(stage))
      }
      for lane in lanes.indices where lanes[lane].isActive { lanes[lane].evaluations += 1 }
    }
    combine(state, stepLengths, job.table.b, velocities, count: velocities.count, into: candidate)
  }
}
