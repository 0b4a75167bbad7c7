import FieldPrograms

extension TileSolver {
  /// Accepts or rejects every active lane's step.
  func judge(_ firstSample: Int, keepsRecords: Bool) {
    if job.controller != nil {
      errors.fill(V())
      combine(errors, stepLengths, job.table.e, velocities, count: velocities.count, into: errors)
    }
    for lane in lanes.indices where lanes[lane].isActive {
      let isFinite = isCandidateFinite(lane)
      guard let controller = job.controller else {
        if isFinite {
          accept(lane, firstSample, keepsRecords: keepsRecords)
        } else {
          finish(lane, .notFinite)
        }
        continue
      }
      var ratio = isFinite ? errorRatio(lane, controller) : .nan
      if ratio <= 1 && lanes[lane].accepted == 0 { ratio = max(ratio, leastFirstRatio(lane, controller)) }
      let (step, planned) = (lanes[lane].step, lanes[lane].proposed)
      if ratio <= 1 && lanes[lane].isLast && abs(step) < abs(planned) {
        lanes[lane].proposed = controller.proposedAfterCut(
          step, planned: planned, ratio: ratio, past: lanes[lane].past)
      } else {
        lanes[lane].proposed = step * controller.factor(ratio: ratio, past: &lanes[lane].past)
      }
      if ratio <= 1 {
        accept(lane, firstSample, keepsRecords: keepsRecords)
        continue
      }
      lanes[lane].rejected += 1
      lanes[lane].lastWasNotFinite = !ratio.isFinite
    }
  }

  /// Updates the log-determinant and the regularisers to the end of one lane's step, with the weights of its stages.
  func integrateBeside(_ lane: Int) {
    lanes[lane].nextLogDeterminant = lanes[lane].logDeterminant + weighted(job.table.weights, lane)
    addRegularisers(lane)
  }

  /// `h Σᵢ wᵢ divᵢ` of one lane.
  private func weighted(_ weights: [Double], _ lane: Int) -> Double {
    guard job.resolution.trace != .none else { return 0 }
    var sum = 0.0
    for stage in weights.indices where weights[stage] != 0 {
      sum += weights[stage] * Double(divergences[stage, lane: lane])
    }
    return lanes[lane].step * sum
  }

  /// `|h| Σᵢ bᵢ qᵢ` of one lane, for q = ½ mean_D f² and for mean_D (J ε)².
  private func addRegularisers(_ lane: Int) {
    let length = abs(lanes[lane].step)
    let weights = job.table.weights
    if job.options.integratesKineticEnergy {
      var sum = 0.0
      for stage in weights.indices where weights[stage] != 0 {
        sum += weights[stage] * velocities[stage].halfMeanSquare(lane: lane)
      }
      lanes[lane].nextKineticEnergy = lanes[lane].kineticEnergy + length * sum
    }
    if job.options.integratesFrobeniusNorm && job.resolution.trace != .none {
      var sum = 0.0
      for stage in weights.indices where weights[stage] != 0 {
        sum += weights[stage] * Double(frobeniusNorms[stage, lane: lane])
      }
      lanes[lane].nextFrobeniusNorm = lanes[lane].frobeniusNorm + length * sum
    }
  }

  private func isCandidateFinite(_ lane: Int) -> Bool {
    for row in 0..<candidate.rows where !candidate[row, lane: lane].isFinite { return false }
    let next = lanes[lane]
    return next.nextLogDeterminant.isFinite && next.nextKineticEnergy.isFinite && next.nextFrobeniusNorm.isFinite
  }

  /// The norm, over the lane's components, of error against tolerance.
  private func errorRatio(_ lane: Int, _ controller: ErrorControl) -> Double {
    var squares = 0.0
    for row in 0..<state.rows {
      squares = controller.joined(
        squares,
        controller.squaredRatio(
          row: row, error: Double(errors[row, lane: lane]), before: Double(state[row, lane: lane]),
          after: Double(candidate[row, lane: lane])))
    }
    guard controller.includesLogDeterminant else { return controller.norm(squares, count: state.rows) }
    squares = controller.joined(
      squares,
      controller.squaredRatio(
        row: state.rows, error: weighted(job.table.errorWeights, lane), before: lanes[lane].logDeterminant,
        after: lanes[lane].nextLogDeterminant))
    return controller.norm(squares, count: state.rows + 1)
  }

  /// `ErrorControl.leastFirstRatio` of a lane's step.
  private func leastFirstRatio(_ lane: Int, _ controller: ErrorControl) -> Double {
    let first = rosenbrock?.slopes[0].velocity ?? velocities[0]
    var (moved, straight, bend) = (0.0, 0.0, 0.0)
    func join(row: Int, before: Double, after: Double, slope: Double) {
      let line = lanes[lane].step * slope
      func square(_ size: Double) -> Double {
        controller.squaredRatio(row: row, error: size, before: before, after: after)
      }
      moved = controller.joined(moved, square(after - before))
      straight = controller.joined(straight, square(line))
      bend = controller.joined(bend, square(after - before - line))
    }
    for row in 0..<state.rows {
      join(
        row: row, before: Double(state[row, lane: lane]), after: Double(candidate[row, lane: lane]),
        slope: Double(first[row, lane: lane]))
    }
    if controller.includesLogDeterminant {
      join(
        row: state.rows, before: lanes[lane].logDeterminant, after: lanes[lane].nextLogDeterminant,
        slope: Double(divergences[0, lane: lane]))
    }
    let count = state.rows + (controller.includesLogDeterminant ? 1 : 0)
    return controller.leastFirstRatio(
      errorConstant: job.table.errorConstant, moved: controller.norm(moved, count: count),
      straight: controller.norm(straight, count: count), bend: controller.norm(bend, count: count))
  }

  private func accept(_ lane: Int, _ firstSample: Int, keepsRecords: Bool) {
    if keepsRecords { record(lane) }
    lanes[lane].accepted += 1
    if lanes[lane].isDoubtful { lanes[lane].rejected += 1 }
    let length = abs(lanes[lane].step)
    if length > 0 { lanes[lane].smallestStep = min(lanes[lane].smallestStep, length) }
    lanes[lane].logDeterminant = lanes[lane].nextLogDeterminant
    lanes[lane].kineticEnergy = lanes[lane].nextKineticEnergy
    lanes[lane].frobeniusNorm = lanes[lane].nextFrobeniusNorm
    for row in 0..<state.rows { state[row, lane: lane] = candidate[row, lane: lane] }
    // A Rosenbrock method computes its first slope in the step, with the Jacobian.
    lanes[lane].hasVelocity = job.scheme.isRosenbrock
    let isAtEnd = lanes[lane].isLast && lanes[lane].intervals.isFinal(lanes[lane].interval)
    if job.controller == nil {
      lanes[lane].time = fixedTime(fixedNumber(lane), lane)
    } else {
      lanes[lane].time = lanes[lane].stepEnd
      if job.table.isFirstSameAsLast { reuseLastStage(lane) }
    }
    if isAtEnd {
      lastRecords[lanes[lane].sample - firstSample] = lanes[lane].lastRecord
      finish(lane, .ok)
    } else if lanes[lane].isLast {
      passOutputTime(lane)
    }
  }

  /// The lane has reached the end of its interval, an output time, and continues in the next.
  private func passOutputTime(_ lane: Int) {
    let place = lanes[lane].sample * job.timeCount + lanes[lane].interval
    for row in 0..<state.rows { job.statesAtTimes[place * state.rows + row] = state[row, lane: lane] }
    job.logDeterminantsAtTimes[place] = lanes[lane].logDeterminant
    lanes[lane].interval += 1
  }

  private func reuseLastStage(_ lane: Int) {
    let last = velocities.count - 1
    for row in 0..<state.rows { velocities[0][row, lane: lane] = velocities[last][row, lane: lane] }
    divergences[0, lane: lane] = divergences[last, lane: lane]
    if !frobeniusNorms.isEmpty { frobeniusNorms[0, lane: lane] = frobeniusNorms[last, lane: lane] }
    lanes[lane].hasVelocity = true
  }

  private func record(_ lane: Int) {
    let current = lanes[lane]
    let begin = current.intervals.begin(of: current.interval)
    let span = current.intervals.end(of: current.interval) - begin
    var step = StepRecords<V.Scalar>.Step(
      time: current.time, length: current.step, end: current.stepEnd, interval: current.interval, fraction: 0,
      fractionLength: 1,
      previous: current.lastRecord)
    if job.controller == nil {
      let number = fixedNumber(lane)
      step.fraction = job.fractions[number]
      step.fractionLength = job.fractions[number + 1] - step.fraction
    } else if span != 0 {  // An interval of no length has one step, which is the whole of it.
      step.fraction = (current.time - begin) / span
      step.fractionLength = current.step / span
    }
    var every = 1
    if case .every(let count) = job.options.adjoint { every = count }
    lanes[lane].lastRecord = records.append(
      step, state, lane: lane, withState: current.accepted.isMultiple(of: every))
  }

  /// Evaluates f₀ of new lanes, and chooses the length of their first step (Hairer, Nørsett, Wanner I, II.4).
  func chooseFirstSteps() {
    guard let controller = job.controller else { return }
    let isNew = lanes.map { $0.isActive && !$0.hasVelocity && $0.accepted + $0.rejected == 0 }
    if job.scheme.isRosenbrock && controller.initialStep != nil {
      for lane in lanes.indices where isNew[lane] { lanes[lane].hasVelocity = true }
    } else {
      evaluateFirstStage()
      for lane in lanes.indices where isNew[lane] && !isFirstVelocityFinite(lane) { finish(lane, .notFinite) }
    }
    if let given = controller.initialStep {
      for lane in lanes.indices where isNew[lane] { lanes[lane].proposed = firstStep(lane, abs(given), controller) }
      return
    }
    for lane in lanes.indices where isNew[lane] && lanes[lane].isActive {
      let trial = controller.trialStep(
        stateNorm: norm(lane, controller) { Double(self.state[$0, lane: lane]) },
        velocityNorm: norm(lane, controller) { Double(self.velocities[0][$0, lane: lane]) }, interval: interval(lane))
      lanes[lane].step = (lanes[lane].end < lanes[lane].start ? -1 : 1) * min(trial, interval(lane))
      stepLengths[0, lane: lane] = V.Scalar(lanes[lane].step)
    }
    for group in 0..<job.groups {
      for row in 0..<state.rows {
        tape.state[row, group] = state[row, group] + stepLengths[0, group] * velocities[0][row, group]
      }
    }
    for lane in lanes.indices {
      evaluator.times[lane] = limited(lanes[lane].time + lanes[lane].step, lanes[lane].step, to: lanes[lane].end)
    }
    evaluator.value(tape)
    for lane in lanes.indices where isNew[lane] && lanes[lane].isActive {
      lanes[lane].evaluations += 1
      let length = controller.firstStep(
        trial: abs(lanes[lane].step),
        stateNorm: norm(lane, controller) { Double(self.state[$0, lane: lane]) },
        velocityNorm: norm(lane, controller) { Double(self.velocities[0][$0, lane: lane]) },
        changeNorm: norm(lane, controller) {
          Double(self.tape.velocity[$0, lane: lane]) - Double(self.velocities[0][$0, lane: lane])
        },
        interval: interval(lane))
      lanes[lane].proposed = firstStep(lane, length, controller)
    }
  }

  private func interval(_ lane: Int) -> Double { abs(lanes[lane].end - lanes[lane].start) }

  /// Sets the first step of this length, with its sign. A step that will be cut to length 0 is planned longer.
  private func firstStep(_ lane: Int, _ length: Double, _ controller: ErrorControl) -> Double {
    let (start, end) = (lanes[lane].start, lanes[lane].end)
    let atLeast = max(length, controller.smallestStep(at: start, end: end))
    return (end < start ? -1 : 1) * (start == end ? atLeast : min(atLeast, interval(lane)))
  }

  /// The norm over D of a quantity relative to the tolerance at the lane's state.
  private func norm(_ lane: Int, _ controller: ErrorControl, _ quantity: (Int) -> Double) -> Double {
    var squares = 0.0
    for row in 0..<state.rows {
      let here = Double(state[row, lane: lane])
      squares = controller.joined(
        squares, controller.squaredRatio(row: row, error: quantity(row), before: here, after: here))
    }
    return controller.norm(squares, count: state.rows)
  }

  private func isFirstVelocityFinite(_ lane: Int) -> Bool {
    for row in 0..<state.rows where !velocities[0][row, lane: lane].isFinite { return false }
    return true
  }
}
