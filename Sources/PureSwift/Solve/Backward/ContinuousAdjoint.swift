import FieldPrograms

/// The continuous adjoint: solves the state and cotangent of a chunk's samples backward together, so the forward pass
/// stores nothing (Chen et al. 2018, arXiv 1806.07366, algorithm 1). As in the forward pass, each lane has its own time
/// and step and accepts or rejects by itself.
///
/// With ℓ = ∫ div dt, a(t1) = ∂L/∂x(t1) and μ = ∂L/∂ℓ, a constant,
///
///     x′ = f,    a′ = −(∂f/∂x)ᵀa − μ ∂div/∂x,    θ̄ = ∫_{t0}^{t1} (∂f/∂θ)ᵀa + μ ∂div/∂θ dt
///     ∂L/∂t1 = f(t1, x1)·a(t1) + μ div(t1, x1)      ∂L/∂t0 = −(f(t0, x0)·a(t0) + μ div(t0, x0))
///
/// A regulariser ∫ q |dt| is one more ℓ, with ρ = ∂L/∂r times the sign of t1 − t0 in the place of μ. (x, a) goes from
/// t1 to t0 in steps h, which are negative if t1 > t0; the slopes are those above in both directions. θ̄ is an integral
/// in the opposite direction, so a stage's contribution has weight −h bᵢ. It is a quadrature over the accepted steps,
/// outside the error norm, which covers x and a.
///
/// Reversing an evaluation gives a's slope up to its sign, and sums over lanes, which cannot be undone if a step is
/// rejected. So all stages are tried first and their sums discarded. Then the stages with bᵢ ≠ 0 are reversed again for
/// the accepted lanes; the others copy an accepted lane, with cotangents of zero.
///
/// Everything is linear in (a, μ, ρ). A sample's values are divided by a power of two of their size, and its results
/// multiplied by it, both exactly. So tolerances mean the same for every factor of the loss.
///
/// A sample whose backward solve fails has no gradient: its chunk is computed again without it.
final class ContinuousAdjoint<V: LaneVector> {
  let job: SolveJob<V.Scalar>
  let evaluator: FieldEvaluator<V>
  let bars: CotangentPanels<V>
  /// Receives sums over lanes that are discarded.
  let discarded: GradientSums<V>
  var lanes: [ContinuousAdjointLane]
  /// x and a as rows of one panel, and their values at the end of the step.
  let pair: Panel<V>
  let nextPair: Panel<V>
  /// The slopes of x and a at every stage.
  let pairSlopes: [Panel<V>]
  /// The tapes of all evaluated stages, and of the field at t0.
  let tapes: [FieldTape<V>?]
  let startTape: FieldTape<V>
  let stepLengths: Panel<V>
  let errors: Panel<V>
  /// Divergence and mean_D (J ε)² of the present evaluation, and their cotangents. The latter has no rows if it is not
  /// integrated.
  let divergence: Panel<V>
  let frobeniusNorm: Panel<V>
  let divergenceBar: Panel<V>
  let frobeniusBar: Panel<V>
  /// f·a + μ div + …, for every lane.
  var hamiltonians: [Double]

  init(job: SolveJob<V.Scalar>, evaluator: FieldEvaluator<V>, bars: CotangentPanels<V>) {
    let pool = evaluator.pool
    let (groups, dimension) = (job.groups, job.plan.stateDimension)
    self.job = job
    self.evaluator = evaluator
    self.bars = bars
    discarded = GradientSums(plan: job.plan, traceShape: job.weights.traceShape)
    lanes = Array(repeating: ContinuousAdjointLane(), count: groups * V.scalarCount)
    pair = pool.panel(rows: 2 * dimension, groups: groups)
    nextPair = pool.panel(rows: 2 * dimension, groups: groups)
    errors = pool.panel(rows: 2 * dimension, groups: groups)
    pairSlopes = (0..<job.table.stages).map { _ in pool.panel(rows: 2 * dimension, groups: groups) }
    let isAdaptive = job.backwardController != nil
    tapes = job.table.reachesState.map { $0 || isAdaptive ? evaluator.makeTape(isReversible: true) : nil }
    startTape = evaluator.makeTape(isReversible: false)
    stepLengths = pool.panel(rows: 1, groups: groups)
    divergence = pool.panel(rows: 1, groups: groups)
    divergenceBar = pool.panel(rows: 1, groups: groups)
    let frobeniusRows = job.options.integratesFrobeniusNorm ? 1 : 0
    frobeniusNorm = pool.panel(rows: frobeniusRows, groups: groups)
    frobeniusBar = pool.panel(rows: frobeniusRows, groups: groups)
    hamiltonians = Array(repeating: 0, count: groups * V.scalarCount)
  }

  var state: Panel<V> { pair.rows(from: 0, count: job.plan.stateDimension) }
  var cotangent: Panel<V> { pair.rows(from: job.plan.stateDimension, count: job.plan.stateDimension) }

  /// Adds the gradient of `samples`, which have been solved, to `sums` and to the arrays of the job.
  func reverse(_ samples: Range<Int>, sums: GradientSums<V>) {
    if bringBack(samples, sums) { return }
    sums.removeAll()
    let isDone = bringBack(samples, sums)
    assert(isDone, "samples are solved by their own numbers alone: what came back once comes back again")
  }

  /// One pass over the samples that arrived; false if a backward solve failed, which the sample's status then says.
  private func bringBack(_ samples: Range<Int>, _ sums: GradientSums<V>) -> Bool {
    var next = samples.lowerBound
    var isWhole = true
    for sample in samples { job.adjointEvaluations[sample] = 0 }
    while true {
      loadIdleLanes(&next, samples.upperBound)
      if !chooseSteps() { isWhole = false }
      guard let model = lanes.firstIndex(where: { $0.isActive }) else {
        if next < samples.upperBound { continue }
        return isWhole
      }
      fillIdleLanes(model)
      trySteps()
      judge()
      if let live = lanes.firstIndex(where: { $0.isAccepted }) { addQuadrature(live, sums) }
      if !moveOn() { isWhole = false }
    }
  }

  private func loadIdleLanes(_ next: inout Int, _ end: Int) {
    for lane in lanes.indices where !lanes[lane].isActive {
      while next < end && !lanes[lane].isActive {
        if job.statuses[next] == SampleStatus.ok.rawValue { load(next, into: lane) }
        next += 1
      }
    }
  }

  /// Starts a sample at its end. The first step has the average length of its forward steps.
  private func load(_ sample: Int, into lane: Int) {
    let (start, end) = (job.problem.startTime(of: sample), job.problem.endTime(of: sample))
    var loaded = ContinuousAdjointLane(sample: sample, time: end)
    loaded.bars = job.loadCotangents(of: sample, into: cotangent, lane: lane)
    var largest = max(
      abs(loaded.bars.logDeterminant), abs(loaded.bars.kineticEnergy), abs(loaded.bars.frobeniusNorm))
    for row in 0..<cotangent.rows { largest = max(largest, abs(Double(cotangent[row, lane: lane]))) }
    if largest > 0 && largest.isFinite {
      loaded.scale = Double(sign: .plus, exponent: Int(largest.exponent) + 1, significand: 1)
    }
    loaded.bars.logDeterminant /= loaded.scale
    loaded.bars.kineticEnergy /= loaded.scale
    loaded.bars.frobeniusNorm /= loaded.scale
    for row in 0..<state.rows {
      state[row, lane: lane] = job.states[sample * state.rows + row]
      cotangent[row, lane: lane] = V.Scalar(Double(cotangent[row, lane: lane]) / loaded.scale)
    }
    if let controller = job.backwardController {
      let span = abs(end - start)
      let length = controller.initialStep ?? span / Double(max(job.accepted[sample], 1))
      let least = controller.smallestStep(at: end, end: start)
      loaded.proposed = (start < end ? -1 : 1) * min(max(length, least), span)
    }
    if !evaluator.probes.isEmpty { job.loadProbes(of: sample, into: evaluator.probes, lane: lane) }
    job.loadInputs(of: sample, into: evaluator, lane: lane)
    lanes[lane] = loaded
  }

  /// Sets the step of every lane; false if one has become too small.
  private func chooseSteps() -> Bool {
    var isWhole = true
    for lane in lanes.indices where lanes[lane].isActive {
      let sample = lanes[lane].sample
      let (start, end) = (job.problem.startTime(of: sample), job.problem.endTime(of: sample))
      guard let controller = job.backwardController else {
        let number = job.fractions.count - 2 - lanes[lane].accepted
        let (from, to) = (job.fractions[number + 1], job.fractions[number])
        lanes[lane].time = timeInStep(start, end - start, from, end: end)
        lanes[lane].step = (to - from) * (end - start)
        lanes[lane].isLast = number == 0
        lanes[lane].stepEnd = timeInStep(start, end - start, to, end: end)
        continue
      }
      (lanes[lane].step, lanes[lane].isLast) = controller.clipped(
        controller.bounded(lanes[lane].proposed, span: end - start, isFirst: lanes[lane].accepted == 0),
        from: lanes[lane].time, stop: start, start: end, end: start)
      let stepEnd = lanes[lane].time + lanes[lane].step
      lanes[lane].stepEnd = lanes[lane].isLast ? start : limited(stepEnd, lanes[lane].step, to: start)
      if !lanes[lane].isLast
        && abs(lanes[lane].step) < controller.smallestStep(at: lanes[lane].time, end: start)
      {
        fail(lane, lanes[lane].lastWasNotFinite ? .notFinite : .stepTooSmall)
        isWhole = false
      }
    }
    return isWhole
  }

  /// Idle lanes copy lane `model`, with a step and cotangents of zero.
  private func fillIdleLanes(_ model: Int) {
    for lane in lanes.indices {
      if !lanes[lane].isActive {
        lanes[lane].time = lanes[model].time
        lanes[lane].stepEnd = lanes[lane].time
        lanes[lane].step = 0
        for row in 0..<state.rows {
          state[row, lane: lane] = state[row, lane: model]
          cotangent[row, lane: lane] = 0
        }
        evaluator.probes.copyLane(model, to: lane)
        evaluator.context.copyLane(model, to: lane)
        evaluator.masks.copyLane(model, to: lane)
      }
      stepLengths[0, lane: lane] = V.Scalar(lanes[lane].step)
    }
  }

  /// Accepted lanes move on, and are done when they reach t0; false if one has failed.
  private func moveOn() -> Bool {
    var isWhole = true
    for lane in lanes.indices where lanes[lane].isActive && lanes[lane].isAccepted {
      for row in 0..<pair.rows { pair[row, lane: lane] = nextPair[row, lane: lane] }
      lanes[lane].time = lanes[lane].stepEnd
      lanes[lane].accepted += 1
    }
    let arrived = lanes.indices.filter { lanes[$0].isActive && lanes[$0].isAccepted && lanes[$0].isLast }
    if !arrived.isEmpty { finish(arrived) }
    for lane in lanes.indices where lanes[lane].isActive {
      if let controller = job.backwardController, !isStill(lanes[lane].sample) {
        guard lanes[lane].tries >= controller.maximumSteps else { continue }
        fail(lane, .maximumSteps)
      } else {
        guard !lanes[lane].isAccepted else { continue }
        fail(lane, .notFinite)
      }
      isWhole = false
    }
    return isWhole
  }

  /// The interval has length 0, so there is no shorter step to try.
  private func isStill(_ sample: Int) -> Bool {
    job.problem.startTime(of: sample) == job.problem.endTime(of: sample)
  }

  private func fail(_ lane: Int, _ status: SampleStatus) {
    let sample = lanes[lane].sample
    job.statuses[sample] = status.rawValue
    job.times[sample] = lanes[lane].time
    for row in 0..<state.rows { job.stateGradients[sample * state.rows + row] = 0 }
    lanes[lane] = ContinuousAdjointLane()
  }

  /// Writes the gradients of samples that have reached t0, where their states are reset to the given ones.
  private func finish(_ arrived: [Int]) {
    let dimension = state.rows
    startTape.state.copy(state)
    for lane in lanes.indices { evaluator.times[lane] = lanes[lane].time }
    for lane in arrived {
      evaluator.times[lane] = job.problem.startTime(of: lanes[lane].sample)
      for row in 0..<dimension {
        startTape.state[row, lane: lane] = job.problem.states[lanes[lane].sample * dimension + row]
      }
    }
    evaluator.value(startTape)
    if job.resolution.trace != .none {
      evaluator.divergence(startTape, into: divergence, frobenius: frobeniusNorm)
    }
    measureHamiltonians(startTape.velocity)
    for lane in arrived {
      let sample = lanes[lane].sample
      for row in 0..<dimension {
        job.stateGradients[sample * dimension + row] = V.Scalar(
          lanes[lane].scale * Double(cotangent[row, lane: lane]))
      }
      job.startTimeGradients[sample] = -lanes[lane].scale * hamiltonians[lane]
      job.endTimeGradients[sample] = lanes[lane].endTimeBar
      lanes[lane] = ContinuousAdjointLane()
    }
  }
}
