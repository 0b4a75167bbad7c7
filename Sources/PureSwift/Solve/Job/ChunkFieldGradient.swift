import FieldPrograms

/// The derivative of a loss of the field itself, tile by tile: one evaluation and one reverse of each sample. One
/// object per worker.
///
/// With f̄ and the divergence's cotangent d̄ of every lane: x̄ = (∂f/∂x)ᵀf̄ + d̄ ∂div/∂x, and θ̄, t̄ likewise. An idle
/// lane, or one whose sample is not finite, copies a live lane with cotangents of zero, so it adds nothing.
final class ChunkFieldGradient<V: LaneVector> {
  private let job: SolveJob<V.Scalar>
  private let loss: FieldLoss<V.Scalar>
  private let evaluator: FieldEvaluator<V>
  private let bars: CotangentPanels<V>
  private let tape: FieldTape<V>
  private let divergences: Panel<V>
  private let divergenceBar: Panel<V>
  /// These losses have no Frobenius norm: its cotangent is 0.
  private let frobeniusBar: Panel<V>
  private let frobeniusNorms: Panel<V>
  private let wantsDivergence: Bool

  init?(job: SolveJob<V.Scalar>) {
    guard let loss = job.fieldLoss else { return nil }
    let evaluator = FieldEvaluator<V>(
      plan: job.plan, weights: job.weights, resolution: job.resolution, probeCount: job.options.probeCount,
      groups: job.groups, isReversible: true)
    guard let bars = evaluator.cotangents else { return nil }
    self.job = job
    self.loss = loss
    self.evaluator = evaluator
    self.bars = bars
    tape = evaluator.makeTape(isReversible: true)
    divergences = evaluator.pool.panel(rows: 1, groups: job.groups)
    divergenceBar = evaluator.pool.panel(rows: 1, groups: job.groups)
    let rows = job.options.integratesFrobeniusNorm ? 1 : 0
    frobeniusBar = evaluator.pool.panel(rows: rows, groups: job.groups)
    frobeniusNorms = evaluator.pool.panel(rows: rows, groups: job.groups)
    wantsDivergence = loss.wantsDivergence && job.resolution.trace != .none
  }

  /// Adds the gradient of `samples` to `sums` and to the arrays of the job.
  func differentiate(_ samples: Range<Int>, into sums: GradientSums<V>) {
    var first = samples.lowerBound
    while first < samples.upperBound {
      let end = min(first + tape.state.lanes, samples.upperBound)
      differentiateTile(first..<end, into: sums)
      first = end
    }
  }

  private func differentiateTile(_ samples: Range<Int>, into sums: GradientSums<V>) {
    for lane in 0..<tape.state.lanes { load(samples.lowerBound + (lane < samples.count ? lane : 0), into: lane) }
    evaluate()
    let isLive = (0..<tape.state.lanes).map { $0 < samples.count && isFinite($0) }
    guard let model = isLive.firstIndex(of: true) else { return }
    if isLive[..<samples.count].contains(false) {
      for lane in isLive.indices where !isLive[lane] { load(samples.lowerBound + model, into: lane) }
      evaluate()
    }
    for lane in isLive.indices {
      if isLive[lane] { setCotangents(samples.lowerBound + lane, lane) } else { clearCotangents(lane) }
    }
    if wantsDivergence {
      evaluator.reverseDivergence(
        tape, weight: divergenceBar, into: divergences, frobeniusWeight: frobeniusBar, frobenius: frobeniusNorms, bars,
        sums)
    }
    evaluator.reverseValue(tape, bars, sums, hasCurvatureTerms: wantsDivergence)
    let dimension = job.plan.stateDimension
    for lane in isLive.indices where isLive[lane] {
      let sample = samples.lowerBound + lane
      for row in 0..<dimension { job.stateGradients[sample * dimension + row] = bars.values[0][row, lane: lane] }
      let rows = bars.context.rows
      for row in 0..<rows { job.contextGradients[sample * rows + row] = bars.context[row, lane: lane] }
      job.startTimeGradients[sample] = bars.time(of: lane, job.plan)
    }
  }

  private func load(_ sample: Int, into lane: Int) {
    let dimension = job.plan.stateDimension
    for row in 0..<dimension { tape.state[row, lane: lane] = job.problem.states[sample * dimension + row] }
    evaluator.times[lane] = job.problem.startTime(of: sample)
    if !evaluator.probes.isEmpty { job.loadProbes(of: sample, into: evaluator.probes, lane: lane) }
    job.loadInputs(of: sample, into: evaluator, lane: lane)
    for row in 0..<bars.context.rows { bars.context[row, lane: lane] = 0 }
  }

  private func evaluate() {
    evaluator.value(tape)
    if wantsDivergence { evaluator.divergence(tape, into: divergences, frobenius: frobeniusNorms) }
  }

  private func isFinite(_ lane: Int) -> Bool {
    for row in 0..<job.plan.stateDimension {
      guard tape.state[row, lane: lane].isFinite, tape.velocity[row, lane: lane].isFinite else { return false }
    }
    return !wantsDivergence || divergences[0, lane: lane].isFinite
  }

  private func clearCotangents(_ lane: Int) {
    let seed = bars.values[job.plan.steps.count]
    for row in 0..<seed.rows { seed[row, lane: lane] = 0 }
    divergenceBar[0, lane: lane] = 0
  }

  private func setCotangents(_ sample: Int, _ lane: Int) {
    let seed = bars.values[job.plan.steps.count]
    let rows = seed.rows
    switch loss {
    case .cotangents(let velocities, let given):
      for row in 0..<rows { seed[row, lane: lane] = velocities.isEmpty ? 0 : velocities[sample * rows + row] }
      divergenceBar[0, lane: lane] = given.isEmpty ? 0 : V.Scalar(given[sample])
    case .squaredDistance(let targets, let weights, let scale):
      let weight = scale * (weights?[sample] ?? 1)
      var squares = 0.0
      for row in 0..<rows {
        let miss = Double(tape.velocity[row, lane: lane]) - Double(targets[sample * rows + row])
        squares += miss * miss
        seed[row, lane: lane] = V.Scalar(weight * miss)
      }
      divergenceBar[0, lane: lane] = 0
      job.losses[sample] = weight * 0.5 * squares
    }
  }
}

extension FieldLoss {
  var wantsDivergence: Bool {
    if case .cotangents(_, let divergences) = self { !divergences.isEmpty } else { false }
  }
}

extension CotangentPanels {
  /// `∂/∂t` of one lane, after a reverse sweep.
  @inline(__always)
  func time(of lane: Int, _ plan: FieldPlan) -> Double {
    var time = Double(callbackTimes[0, lane: lane])
    for number in plan.steps.indices where plan.steps[number].kind == .time {
      time += Double(values[number + 1][0, lane: lane])
    }
    return time
  }
}
