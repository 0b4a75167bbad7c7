import FieldPrograms

extension ContinuousAdjoint {
  /// Evaluates all stages of a step of every lane, then x and a at its end. The sums over lanes of these reverses are
  /// discarded.
  func trySteps() {
    for stage in pairSlopes.indices {
      guard let tape = tapes[stage] else { continue }
      moveToStage(stage)
      tape.state.copy(errors.rows(from: 0, count: state.rows))
      let fraction = job.table.timeFractions[stage]
      for lane in lanes.indices {
        evaluator.times[lane] = timeInStep(lanes[lane].time, lanes[lane].step, fraction, end: lanes[lane].stepEnd)
      }
      evaluator.value(tape)
      reverse(stage, tape, factors: lanes.map { _ in 1 }, discarded)
      pairSlopes[stage].rows(from: 0, count: state.rows).copy(tape.velocity)
      for row in 0..<state.rows {
        for group in 0..<job.groups {
          pairSlopes[stage][state.rows + row, group] = -1 * bars.values[0][row, group]
        }
      }
      if stage == 0 && lanes.contains(where: { $0.isActive && $0.isFresh }) {
        measureHamiltonians(tape.velocity)
        for lane in lanes.indices where lanes[lane].isActive && lanes[lane].isFresh {
          lanes[lane].endTimeBar = lanes[lane].scale * hamiltonians[lane]
        }
      }
    }
    combine(pair, stepLengths, job.table.b, pairSlopes, count: pairSlopes.count, into: nextPair)
  }

  /// Computes x and a at a stage from the slopes before it. They go to `errors`, which is free until the step is
  /// accepted or rejected.
  private func moveToStage(_ stage: Int) {
    combine(pair, stepLengths, job.table.a[stage], pairSlopes, count: stage, into: errors)
  }

  /// Reverses a stage's evaluation. The cotangents of f and of the divergence are a and μ, multiplied by each lane's
  /// factor. Adds to `sums` and leaves ∂/∂x in the first of `bars.values`.
  private func reverse(_ stage: Int, _ tape: FieldTape<V>, factors: [Double], _ sums: GradientSums<V>) {
    let seed = bars.values[job.plan.steps.count]
    for lane in lanes.indices {
      // A NaN in a rejected lane must not spread through 0 · NaN.
      let isWanted = factors[lane] != 0
      let kinetic = lanes[lane].bars.kineticEnergy / Double(seed.rows)
      for row in 0..<seed.rows {
        let bar =
          Double(errors[seed.rows + row, lane: lane]) + kinetic * Double(tape.velocity[row, lane: lane])
        seed[row, lane: lane] = isWanted ? V.Scalar(factors[lane] * bar) : 0
      }
      divergenceBar[0, lane: lane] = V.Scalar(factors[lane] * lanes[lane].bars.logDeterminant)
      if !frobeniusBar.isEmpty {
        frobeniusBar[0, lane: lane] = V.Scalar(factors[lane] * lanes[lane].bars.frobeniusNorm)
      }
    }
    let hasCurvatureTerms = job.resolution.trace != .none
    if hasCurvatureTerms {
      evaluator.reverseDivergence(
        tape, weight: divergenceBar, into: divergence, frobeniusWeight: frobeniusBar, frobenius: frobeniusNorm, bars,
        sums)
    }
    evaluator.reverseValue(tape, bars, sums, hasCurvatureTerms: hasCurvatureTerms)
  }

  /// Accepts or rejects every lane's step.
  func judge() {
    if job.backwardController != nil {
      errors.fill(V())
      combine(errors, stepLengths, job.table.e, pairSlopes, count: pairSlopes.count, into: errors)
    }
    let trials = tapes.count { $0 != nil }
    for lane in lanes.indices {
      lanes[lane].isAccepted = false
      guard lanes[lane].isActive else { continue }
      job.adjointEvaluations[lanes[lane].sample] += trials
      lanes[lane].tries += 1
      lanes[lane].isFresh = false
      let isFinite = (0..<pair.rows).allSatisfy { nextPair[$0, lane: lane].isFinite }
      guard let controller = job.backwardController else {
        lanes[lane].isAccepted = isFinite
        continue
      }
      var ratio = isFinite ? errorRatio(lane, controller) : .nan
      if ratio <= 1 && lanes[lane].accepted == 0 { ratio = max(ratio, leastFirstRatio(lane, controller)) }
      lanes[lane].isAccepted = ratio <= 1
      lanes[lane].lastWasNotFinite = !ratio.isFinite
      lanes[lane].proposed = lanes[lane].step * controller.factor(ratio: ratio, past: &lanes[lane].past)
    }
  }

  private func errorRatio(_ lane: Int, _ controller: ErrorControl) -> Double {
    var squares = 0.0
    for row in 0..<pair.rows {
      squares = controller.joined(
        squares,
        controller.squaredRatio(
          row: row, error: Double(errors[row, lane: lane]), before: Double(pair[row, lane: lane]),
          after: Double(nextPair[row, lane: lane])))
    }
    return controller.norm(squares, count: pair.rows)
  }

  /// `ErrorControl.leastFirstRatio` of a lane's step.
  private func leastFirstRatio(_ lane: Int, _ controller: ErrorControl) -> Double {
    var (moved, straight, bend) = (0.0, 0.0, 0.0)
    for row in 0..<pair.rows {
      let (before, after) = (Double(pair[row, lane: lane]), Double(nextPair[row, lane: lane]))
      let line = lanes[lane].step * Double(pairSlopes[0][row, lane: lane])
      func square(_ size: Double) -> Double {
        controller.squaredRatio(row: row, error: size, before: before, after: after)
      }
      moved = controller.joined(moved, square(after - before))
      straight = controller.joined(straight, square(line))
      bend = controller.joined(bend, square(after - before - line))
    }
    return controller.leastFirstRatio(
      errorConstant: job.table.errorConstant, moved: controller.norm(moved, count: pair.rows),
      straight: controller.norm(straight, count: pair.rows), bend: controller.norm(bend, count: pair.rows))
  }

  /// Adds the contribution to θ̄ of the steps just tried, for the accepted lanes, of which `live` is one. The other
  /// lanes copy that lane with cotangents of zero, so they add exact zeros.
  func addQuadrature(_ live: Int, _ sums: GradientSums<V>) {
    for stage in pairSlopes.indices where job.table.weights[stage] != 0 {
      guard let tape = tapes[stage] else { continue }
      moveToStage(stage)
      for lane in lanes.indices where !lanes[lane].isAccepted { fillLane(lane, behind: live, tape) }
      let factors = lanes.map {
        $0.isAccepted ? -$0.step * job.table.weights[stage] * $0.scale : 0
      }
      reverse(stage, tape, factors: factors, sums)
    }
  }

  /// Copies lane `live` of a tape over another lane.
  private func fillLane(_ lane: Int, behind live: Int, _ tape: FieldTape<V>) {
    for panel in tape.values + tape.slopes + tape.curvatures {
      for row in 0..<panel.rows { panel[row, lane: lane] = panel[row, lane: live] }
    }
    if tape.times.count > 0 { tape.times[lane] = tape.times[live] }
  }

  /// Computes f·a + μ div + … at the present evaluation, whose slope is `velocity`, with the scaled cotangents of
  /// `pair`.
  func measureHamiltonians(_ velocity: Panel<V>) {
    for lane in lanes.indices {
      let bars = lanes[lane].bars
      var sum = 0.0
      for row in 0..<velocity.rows {
        sum += Double(velocity[row, lane: lane]) * Double(cotangent[row, lane: lane])
      }
      if job.resolution.trace != .none { sum += bars.logDeterminant * Double(divergence[0, lane: lane]) }
      if job.options.integratesKineticEnergy { sum += bars.kineticEnergy * velocity.halfMeanSquare(lane: lane) }
      if !frobeniusNorm.isEmpty { sum += bars.frobeniusNorm * Double(frobeniusNorm[0, lane: lane]) }
      hamiltonians[lane] = sum
    }
  }
}
