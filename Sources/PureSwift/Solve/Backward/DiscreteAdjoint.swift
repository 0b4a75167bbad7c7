import FieldPrograms

/// Reverses the recorded steps of a chunk's samples, in each lane from the sample's last record to its first.
///
/// A step is x′ = x + h Σ bᵢkᵢ, kᵢ = f(Tᵢ, Xᵢ), Tᵢ = t + cᵢh, Xᵢ = x + h Σⱼ aᵢⱼkⱼ, and ℓ′ = ℓ + h Σ bᵢ divᵢ. h has the
/// sign of the solve's direction, and no formula depends on that sign. With λ = ∂L/∂x′, μ = ∂L/∂ℓ′, from the last stage
/// to the first:
///
///     k̄ᵢ = h (bᵢλ + Σ_{j>i} aⱼᵢ X̄ⱼ)          X̄ᵢ = (∂f/∂x)ᵀk̄ᵢ + h bᵢ μ ∂divᵢ/∂x     T̄ᵢ and θ̄ᵢ likewise
///     ∂L/∂x = λ + Σ X̄ᵢ                        ∂L/∂t = Σ T̄ᵢ
///     ∂L/∂h = Σ bᵢ kᵢ·λ + Σ X̄ᵢ·(Σⱼ aᵢⱼkⱼ) + Σ cᵢT̄ᵢ + μ Σ bᵢ divᵢ
///
/// A regulariser r′ = r + |h| Σ bᵢqᵢ is one more ℓ with the slope qᵢ times the sign of h. With ρ = ∂L/∂r times that
/// sign, k̄ᵢ gains h bᵢρ kᵢ/D for q = ½ mean_D f², the cotangent of J ε gains 2 h bᵢρ J ε/D for q = mean_D (J ε)², and
/// ∂L/∂h gains ρ Σ bᵢqᵢ for either.
///
/// A step's position is a constant fraction of its interval: t = t0 + s(t1 − t0), h = σ(t1 − t0); a step in an interval
/// of length 0 has s = 0 and σ = 1. Output times cut a sample's time span into intervals between neighbours of t0, the
/// times, and t1. At each of them λ and μ gain the loss's cotangents there, and each moves the steps on both sides.
final class DiscreteAdjoint<V: LaneVector> {
  let job: SolveJob<V.Scalar>
  let evaluator: FieldEvaluator<V>
  let bars: CotangentPanels<V>
  private var lanes: [DiscreteAdjointLane]
  private var active = 0
  /// One tape for each stage that influences the state. Stages are evaluated once, and reversed from their tapes.
  private let tapes: [FieldTape<V>?]
  private let reversedStages: Int
  private let state: Panel<V>
  private let velocities: [Panel<V>]
  private let divergences: Panel<V>
  private let stepLengths: Panel<V>
  /// λ, and X̄ of every stage.
  private let stateBar: Panel<V>
  private let stageBars: [Panel<V>]
  /// h bᵢ μ of every lane.
  private let divergenceBar: Panel<V>
  /// h bᵢ ρ of every lane, and mean_D (J ε)² of every stage; no rows where it is not integrated.
  private let frobeniusBar: Panel<V>
  private let frobeniusNorms: Panel<V>
  /// t of every lane; a stage is at t + cᵢh.
  private var startTimes: [Double]
  private var endTimes: [Double]
  private let replay: StepRecomputation<V>

  init(job: SolveJob<V.Scalar>, evaluator: FieldEvaluator<V>, bars: CotangentPanels<V>) {
    let table = job.table
    let dimension = job.plan.stateDimension
    let pool = evaluator.pool
    let groups = job.groups
    self.job = job
    self.evaluator = evaluator
    self.bars = bars
    lanes = Array(repeating: DiscreteAdjointLane(), count: groups * V.scalarCount)
    tapes = table.reachesState.map { $0 ? evaluator.makeTape(isReversible: true) : nil }
    reversedStages = table.reachesState.count { $0 }
    state = pool.panel(rows: dimension, groups: groups)
    velocities = (0..<table.stages).map { _ in pool.panel(rows: dimension, groups: groups) }
    divergences = pool.panel(rows: table.stages, groups: groups)
    stepLengths = pool.panel(rows: 1, groups: groups)
    stateBar = pool.panel(rows: dimension, groups: groups)
    stageBars = (0..<table.stages).map { _ in pool.panel(rows: dimension, groups: groups) }
    divergenceBar = pool.panel(rows: 1, groups: groups)
    let hasFrobenius = job.options.integratesFrobeniusNorm
    frobeniusBar = pool.panel(rows: hasFrobenius ? 1 : 0, groups: groups)
    frobeniusNorms = pool.panel(rows: hasFrobenius ? table.stages : 0, groups: groups)
    startTimes = Array(repeating: 0, count: groups * V.scalarCount)
    endTimes = startTimes
    replay = StepRecomputation(job: job, evaluator: evaluator)
  }

  /// Adds the gradient of `samples`, whose steps are `records`, to `sums` and to the job's arrays.
  func reverse(_ samples: Range<Int>, records: StepRecords<V.Scalar>, lastRecords: [Int], sums: GradientSums<V>) {
    var next = samples.lowerBound
    replay.removeAll()
    while true {
      if next < samples.upperBound && (active == 0 || (lanes.count - active) * 4 >= lanes.count) {
        for lane in lanes.indices where !lanes[lane].isActive {
          while next < samples.upperBound && !lanes[lane].isActive {
            load(next, lastRecord: lastRecords[next - samples.lowerBound], into: lane)
            next += 1
          }
        }
        continue
      }
      guard let model = lanes.firstIndex(where: { $0.isActive }) else { return }
      loadSteps(records, model: model)
      takeStepAgain()
      for stage in velocities.indices.reversed() { reverseStage(stage, sums) }
      for stage in velocities.indices where tapes[stage] != nil { stateBar.add(stageBars[stage]) }
      finishSteps(records)
    }
  }

  /// Takes the sample's cotangents from the loss. A failed sample has none; a sample without steps is done at once.
  private func load(_ sample: Int, lastRecord: Int, into lane: Int) {
    guard job.statuses[sample] == SampleStatus.ok.rawValue else { return }
    lanes[lane] = DiscreteAdjointLane(sample: sample, record: lastRecord)
    lanes[lane].interval = job.timeCount
    let end = job.loadCotangents(of: sample, into: stateBar, lane: lane)
    lanes[lane].logDeterminantBar = job.resolution.trace == .none ? 0 : end.logDeterminant
    lanes[lane].kineticBar = end.kineticEnergy
    lanes[lane].frobeniusBar = end.frobeniusNorm
    if !evaluator.probes.isEmpty { job.loadProbes(of: sample, into: evaluator.probes, lane: lane) }
    job.loadInputs(of: sample, into: evaluator, lane: lane)
    for row in 0..<bars.context.rows { bars.context[row, lane: lane] = 0 }
    active += 1
    if lastRecord < 0 { finish(lane) }
  }

  private func finish(_ lane: Int) {
    let sample = lanes[lane].sample
    for row in 0..<state.rows { job.stateGradients[sample * state.rows + row] = stateBar[row, lane: lane] }
    let rows = bars.context.rows
    for row in 0..<rows { job.contextGradients[sample * rows + row] = bars.context[row, lane: lane] }
    job.startTimeGradients[sample] = lanes[lane].startTimeBar
    job.endTimeGradients[sample] = lanes[lane].endTimeBar
    lanes[lane] = DiscreteAdjointLane()
    active -= 1
  }

  /// Loads every lane's record into the panels. Idle lanes copy `model`, an active lane, with cotangents of zero: so
  /// they are finite and add nothing.
  private func loadSteps(_ records: StepRecords<V.Scalar>, model: Int) {
    let dimension = state.rows
    replay.prepare(lanes, records)
    for lane in lanes.indices {
      let isActive = lanes[lane].isActive
      let number = lanes[isActive ? lane : model].record
      let step = records.steps[number]
      startTimes[lane] = step.time
      endTimes[lane] = step.end
      lanes[lane].length = step.length
      lanes[lane].timeBar = 0
      lanes[lane].lengthBar = 0
      stepLengths[0, lane: lane] = V.Scalar(step.length)
      for row in 0..<dimension {
        state[row, lane: lane] = replay.state(row, lane: isActive ? lane : model, of: records.steps[number], records)
        if !isActive { stateBar[row, lane: lane] = 0 }
      }
      if !isActive {
        evaluator.probes.copyLane(model, to: lane)
        evaluator.context.copyLane(model, to: lane)
        evaluator.masks.copyLane(model, to: lane)
      }
    }
  }

  /// Evaluates the stages of the forward solve, in the same arithmetic, onto their tapes.
  private func takeStepAgain() {
    for stage in velocities.indices {
      guard let tape = tapes[stage] else { continue }
      combine(state, stepLengths, job.table.a[stage], velocities, count: stage, into: tape.state)
      setTimes(stage)
      evaluator.value(tape)
      velocities[stage].copy(tape.velocity)
    }
  }

  private func setTimes(_ stage: Int) {
    let fraction = job.table.timeFractions[stage]
    for lane in lanes.indices {
      evaluator.times[lane] = timeInStep(startTimes[lane], lanes[lane].length, fraction, end: endTimes[lane])
    }
  }

  private func reverseStage(_ stage: Int, _ sums: GradientSums<V>) {
    guard let tape = tapes[stage] else { return }
    let table = job.table
    let seed = bars.values[job.plan.steps.count]
    for row in 0..<seed.rows {
      for group in 0..<job.groups {
        var sum = table.b[stage] * stateBar[row, group]
        for later in stage + 1..<table.stages where tapes[later] != nil && table.a[later][stage] != 0 {
          sum = sum + table.a[later][stage] * stageBars[later][row, group]
        }
        seed[row, group] = stepLengths[0, group] * sum
      }
    }
    addKineticCotangent(stage, to: seed)
    let hasCurvatureTerms = job.resolution.trace != .none && table.weights[stage] != 0
    if hasCurvatureTerms {
      for lane in lanes.indices {
        divergenceBar[0, lane: lane] = V.Scalar(
          lanes[lane].length * table.weights[stage] * lanes[lane].logDeterminantBar)
        if !frobeniusBar.isEmpty {
          frobeniusBar[0, lane: lane] = V.Scalar(
            lanes[lane].length * table.weights[stage] * lanes[lane].frobeniusBar)
        }
      }
      evaluator.reverseDivergence(
        tape, weight: divergenceBar, into: divergences.rows(from: stage, count: 1), frobeniusWeight: frobeniusBar,
        frobenius: frobeniusNorms.row(stage), bars, sums)
    }
    evaluator.reverseValue(tape, bars, sums, hasCurvatureTerms: hasCurvatureTerms)
    stageBars[stage].copy(bars.values[0])
    addTimeDerivatives(stage)
  }

  /// h bᵢρ kᵢ/D.
  private func addKineticCotangent(_ stage: Int, to seed: Panel<V>) {
    guard job.regularisation.kineticEnergy != 0, job.table.weights[stage] != 0 else { return }
    for lane in lanes.indices {
      let factor = lanes[lane].length * job.table.weights[stage] * lanes[lane].kineticBar / Double(seed.rows)
      for row in 0..<seed.rows {
        seed[row, lane: lane] += V.Scalar(factor * Double(velocities[stage][row, lane: lane]))
      }
    }
  }

  /// This stage's part of ∂L/∂t and ∂L/∂h.
  private func addTimeDerivatives(_ stage: Int) {
    let table = job.table
    for lane in lanes.indices where lanes[lane].isActive {
      let timeBar = bars.time(of: lane, job.plan)
      var lengthBar = table.timeFractions[stage] * timeBar
      for row in 0..<state.rows {
        let velocity = Double(velocities[stage][row, lane: lane])
        lengthBar += table.weights[stage] * velocity * Double(stateBar[row, lane: lane])
        var change = 0.0
        for earlier in 0..<stage where table.a[stage][earlier] != 0 {
          change += Double(table.a[stage][earlier]) * Double(velocities[earlier][row, lane: lane])
        }
        lengthBar += Double(stageBars[stage][row, lane: lane]) * change
      }
      if job.resolution.trace != .none && table.weights[stage] != 0 {
        lengthBar +=
          lanes[lane].logDeterminantBar * table.weights[stage] * Double(divergences[stage, lane: lane])
        if !frobeniusNorms.isEmpty {
          lengthBar += lanes[lane].frobeniusBar * table.weights[stage] * Double(frobeniusNorms[stage, lane: lane])
        }
      }
      lengthBar += lanes[lane].kineticBar * table.weights[stage] * velocities[stage].halfMeanSquare(lane: lane)
      lanes[lane].timeBar += timeBar
      lanes[lane].lengthBar += lengthBar
    }
  }

  private func finishSteps(_ records: StepRecords<V.Scalar>) {
    for lane in lanes.indices where lanes[lane].isActive {
      let step = records.steps[lanes[lane].record]
      addTimes(step, lane)
      job.adjointEvaluations[lanes[lane].sample] += reversedStages
      lanes[lane].record = step.previous
      if step.previous < 0 {
        finish(lane)
      } else {
        passOutputTime(records.steps[step.previous].interval, lane)
      }
    }
  }

  /// Adds the contribution of the step just reversed to the derivatives by the times around it: t0, t1 or output times.
  private func addTimes(_ step: StepRecords<V.Scalar>.Step, _ lane: Int) {
    let timeBar = lanes[lane].timeBar
    let share = lanes[lane].lengthBar * step.fractionLength
    let atEnd = timeBar * step.fraction + share
    let atBegin = timeBar * (1 - step.fraction) - share
    let first = lanes[lane].sample * job.timeCount
    if step.interval == job.timeCount {
      lanes[lane].endTimeBar += atEnd
    } else {
      job.outputTimeGradients[first + step.interval] += atEnd
    }
    if step.interval == 0 {
      lanes[lane].startTimeBar += atBegin
    } else {
      job.outputTimeGradients[first + step.interval - 1] += atBegin
    }
  }

  /// Moves the lane to a step of `interval`. If that is a new interval, adds the loss's cotangents at the time between.
  private func passOutputTime(_ interval: Int, _ lane: Int) {
    guard interval != lanes[lane].interval else { return }
    lanes[lane].interval = interval
    lanes[lane].logDeterminantBar += job.addCotangents(
      of: lanes[lane].sample, atTime: interval, to: stateBar, lane: lane)
  }
}
