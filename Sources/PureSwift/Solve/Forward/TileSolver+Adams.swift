import FieldPrograms

// Adams methods, as in Documentation/methods.md. With k past slopes, at most m − 1, a step is
//   while k < 3      a step of the starting method's tableau;
//   explicit         x′ = x + h Σ_{j<k} bⱼ f(t − jh);
//   implicit         x′ = x + h (c₀ f(t + h, x′) + Σ_{j=1…k} cⱼ f(t + h − jh)).
// The implicit step iterates from the explicit x′, at most 4 times, until no component of x′ − x changes by its
// tolerance. If it does not converge, the step is taken anyway and counted as rejected, and k does not grow.
// The other integrated quantities have the same formulas.

extension TileSolver {
  func makeAdamsSteps(isImplicit: Bool) {
    adams?.makeRoom()
    guard let history = adams else { return }
    for lane in lanes.indices { lanes[lane].isDoubtful = false }
    // Until lanes have enough slopes for a formula, all have equally many; afterwards never fewer.
    let slopes = lanes.indices.filter { lanes[$0].isActive }.map { history.slopes[$0] }.max() ?? 0
    if slopes < AdamsFormula.leastSlopes {
      makeStagedSteps()
      copyFirstStage(to: history[0])
      return
    }
    for lane in lanes.indices { evaluator.times[lane] = lanes[lane].time }
    tape.state.copy(state)
    evaluateSlopes(into: history[0])
    for lane in lanes.indices where lanes[lane].isActive {
      lanes[lane].evaluations += 1
      let formula = AdamsFormula.bashforth(history.slopes[lane])
      if isImplicit {
        predict(lane, formula, history)
      } else {
        takeExplicitStep(lane, formula, history)
      }
    }
    if isImplicit { correct(history) }
  }

  private func copyFirstStage(to slopes: SlopePanels<V>) {
    slopes.velocity.copy(velocities[0])
    slopes.divergence.copy(divergences.rows(from: 0, count: 1))
    if !slopes.frobeniusNorm.isEmpty { slopes.frobeniusNorm.copy(frobeniusNorms.row(0)) }
  }

  /// Evaluates f at the tape's state and the evaluator's times, with the other integrated quantities.
  func evaluateSlopes(into slopes: SlopePanels<V>) {
    evaluator.value(tape)
    slopes.velocity.copy(tape.velocity)
    if job.resolution.trace != .none {
      evaluator.divergence(tape, into: slopes.divergence, frobenius: slopes.frobeniusNorm)
    }
  }

  /// `Σⱼ wⱼ f(t − jh)` of a row.
  private func sum(_ weights: ArraySlice<Double>, _ history: AdamsHistory<V>, row: Int, lane: Int) -> V.Scalar {
    var sum: V.Scalar = 0
    for (age, weight) in weights.enumerated() {
      sum += V.Scalar(weight) * history[age].velocity[row, lane: lane]
    }
    return sum
  }

  /// The same sum for the other integrated quantities.
  private func integrands(_ weights: ArraySlice<Double>, _ history: AdamsHistory<V>, lane: Int) -> Integrands {
    var sum = Integrands()
    for (age, weight) in weights.enumerated() { sum.add(weight, history[age].integrands(lane: lane)) }
    return sum
  }

  private func takeExplicitStep(_ lane: Int, _ formula: AdamsFormula, _ history: AdamsHistory<V>) {
    let weights = formula.weights[...]
    for row in 0..<state.rows {
      candidate[row, lane: lane] =
        state[row, lane: lane] + stepLengths[0, lane: lane] * sum(weights, history, row: row, lane: lane)
    }
    integrate(lane, integrands(weights, history, lane: lane))
  }

  /// Computes x′ − x of the explicit formula, and the part of the implicit formula that stays constant during the
  /// iteration.
  private func predict(_ lane: Int, _ formula: AdamsFormula, _ history: AdamsHistory<V>) {
    let step = stepLengths[0, lane: lane]
    let corrector = AdamsFormula.moulton(formula.weights.count + 1)
    for row in 0..<state.rows {
      history.change[row, lane: lane] = step * sum(formula.weights[...], history, row: row, lane: lane)
      history.known[row, lane: lane] = step * sum(corrector.weights.dropFirst(), history, row: row, lane: lane)
    }
    lanes[lane].correctorWeight = corrector.weights[0]
    lanes[lane].knownIntegrands = integrands(corrector.weights.dropFirst(), history, lane: lane)
    lanes[lane].logDeterminantChange =
      lanes[lane].step * integrands(formula.weights[...], history, lane: lane).divergence
    lanes[lane].isDoubtful = true
  }

  /// The implicit step by functional iteration. A lane that has converged does not move while others continue.
  private func correct(_ history: AdamsHistory<V>) {
    for lane in lanes.indices { evaluator.times[lane] = lanes[lane].stepEnd }
    for _ in 0..<AdamsFormula.iterations where lanes.contains(where: { $0.isActive && $0.isDoubtful }) {
      for index in 0..<state.count { tape.state[index] = state[index] + history.change[index] }
      evaluateSlopes(into: history.corrected)
      for lane in lanes.indices where lanes[lane].isActive && lanes[lane].isDoubtful { iterate(lane, history) }
    }
    for lane in lanes.indices where lanes[lane].isActive {
      if lanes[lane].isDoubtful { adams?.hold(lane) }
      for row in 0..<state.rows {
        candidate[row, lane: lane] = state[row, lane: lane] + history.change[row, lane: lane]
      }
    }
  }

  private func iterate(_ lane: Int, _ history: AdamsHistory<V>) {
    let factor = V.Scalar(lanes[lane].step * lanes[lane].correctorWeight)
    var squares = 0.0
    for row in 0..<state.rows {
      let before = history.change[row, lane: lane]
      let after = history.known[row, lane: lane] + factor * history.corrected.velocity[row, lane: lane]
      history.change[row, lane: lane] = after
      squares = job.iteration.joined(
        squares,
        job.iteration.squaredRatio(
          row: row, error: Double(after) - Double(before), before: Double(before), after: Double(after)))
    }
    var slopes = lanes[lane].knownIntegrands
    slopes.add(lanes[lane].correctorWeight, history.corrected.integrands(lane: lane))
    let (before, after) = (lanes[lane].logDeterminantChange, lanes[lane].step * slopes.divergence)
    if job.iteration.includesLogDeterminant {
      squares = job.iteration.joined(
        squares, job.iteration.squaredRatio(row: state.rows, error: after - before, before: before, after: after))
    }
    lanes[lane].logDeterminantChange = after
    integrate(lane, slopes)
    lanes[lane].evaluations += 1
    lanes[lane].isDoubtful = !(squares < 1)
  }

  /// Advances the other integrated quantities by slopes that hold for a whole step.
  func integrate(_ lane: Int, _ slopes: Integrands) {
    let length = abs(lanes[lane].step)
    if job.resolution.trace != .none {
      lanes[lane].nextLogDeterminant = lanes[lane].logDeterminant + lanes[lane].step * slopes.divergence
    }
    if job.options.integratesKineticEnergy {
      lanes[lane].nextKineticEnergy = lanes[lane].kineticEnergy + length * slopes.kineticEnergy
    }
    if job.options.integratesFrobeniusNorm && job.resolution.trace != .none {
      lanes[lane].nextFrobeniusNorm = lanes[lane].frobeniusNorm + length * slopes.frobeniusNorm
    }
  }
}
