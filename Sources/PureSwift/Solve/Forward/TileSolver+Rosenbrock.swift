import FieldPrograms

// A step of a Rosenbrock method, as in Documentation/methods.md: Hairer and Wanner, "Solving Ordinary Differential
// Equations II", IV.7, in the transformed stages (7.25′), each divided by h to be a slope like those of an explicit
// method. With J = ∂f/∂x and f_t = ∂f/∂t at the step's start,
//     (1/γ − hJ) kᵢ = f(t + αᵢh, x + h Σⱼ aᵢⱼkⱼ) + Σⱼ cᵢⱼkⱼ + dᵢ h f_t,   x′ = x + h Σ bᵢkᵢ,   error h Σ eᵢkᵢ.
// The log-determinant and the regularisers are quadratures by Simpson's rule over the step, at its start, middle and
// end; the middle's state is the dense output there, x + h Σ (bⱼ/2 + h2ⱼ/4 + h3ⱼ/8) kⱼ. They are no part of the error
// norm.

/// The further panels of a Rosenbrock method.
struct RosenbrockPanels<V: LaneVector> {
  /// The tape of the evaluation at which J is taken: with σ′, for every trace.
  let tape: FieldTape<V>
  var factors: LaneFactors<V>
  let timeSlope: Panel<V>
  /// Slopes at the step's start, middle and end.
  let slopes: [SlopePanels<V>]
  let hasQuadratures: Bool

  init(job: SolveJob<V.Scalar>, evaluator: FieldEvaluator<V>) {
    tape = evaluator.makeTape(isReversible: true)
    factors = LaneFactors(dimension: job.plan.stateDimension, groups: job.groups, pool: evaluator.pool)
    timeSlope = evaluator.pool.panel(rows: job.plan.stateDimension, groups: job.groups)
    slopes = (0..<3).map { _ in SlopePanels(job: job, pool: evaluator.pool) }
    hasQuadratures = job.resolution.trace != .none || job.options.integratesKineticEnergy
  }
}

extension TileSolver {
  func makeRosenbrockSteps(_ table: ButcherTableau.Rosenbrock) {
    guard let panels = rosenbrock else { return }
    factorMatrix(table, panels)
    if job.plan.readsTime { makeTimeSlope(panels) }
    for stage in velocities.indices { makeImplicitStage(stage, table, panels) }
    combine(state, stepLengths, job.table.b, velocities, count: velocities.count, into: candidate)
    if panels.hasQuadratures { integrateBeside(table, panels) }
    let extra = (job.plan.readsTime ? 2 : 0) + (panels.hasQuadratures ? 2 : 0)
    for lane in lanes.indices where lanes[lane].isActive { lanes[lane].evaluations += velocities.count + extra }
  }

  /// Evaluates f and the integrated quantities at the step's start, and factors 1/γ − hJ.
  private func factorMatrix(_ table: ButcherTableau.Rosenbrock, _ panels: RosenbrockPanels<V>) {
    let start = panels.slopes[0]
    panels.tape.state.copy(state)
    setTimes(0)
    evaluator.value(panels.tape)
    start.velocity.copy(panels.tape.velocity)
    if job.resolution.trace != .none {
      evaluator.divergence(panels.tape, into: start.divergence, frobenius: start.frobeniusNorm)
    }
    let matrix = panels.factors.matrix
    let dimension = state.rows
    for column in 0..<dimension {
      let derivative = evaluator.jacobianColumn(column, panels.tape)
      for row in 0..<dimension {
        let diagonal = V(row == column ? 1 / table.gamma : 0)
        for group in 0..<job.groups {
          matrix[row * dimension + column, group] = diagonal - stepLengths[0, group] * derivative[row, group]
        }
      }
    }
    rosenbrock?.factors.factor()
  }

  /// h ∂f/∂t from f at the start, at t + δ and t + 2δ. The times are those that the field reads, rounded: with p and q
  /// their distances from the first, f_t = (f₁ − f₀) q/(p(q − p)) − (f₂ − f₀) p/(q(q − p)) + O(δ²). The field is not
  /// evaluated outside the step. δ = h/2¹⁰, in Float h/2⁵: near the fifth root of the unit of rounding, where rounding
  /// and truncation add least. If h is too short to change a rounded time, f_t counts as 0.
  private func makeTimeSlope(_ panels: RosenbrockPanels<V>) {
    let part = MemoryLayout<V.Scalar>.size == 8 ? 0x1p-10 : 0x1p-5
    var weights = [[V.Scalar]](repeating: Array(repeating: 0, count: lanes.count), count: 2)
    let roundsTime = job.plan.steps.contains { $0.kind == .time }
    for lane in lanes.indices {
      let (time, step) = (lanes[lane].time, lanes[lane].step)
      // A time operation rounds t, a callback gets the double.
      func seen(_ time: Double) -> Double { roundsTime ? Double(V.Scalar(time)) : time }
      let (p, q) = (seen(time + part * step) - seen(time), seen(time + 2 * part * step) - seen(time))
      guard p != 0, q != p else { continue }
      weights[0][lane] = V.Scalar(step * (q / p) / (q - p))
      weights[1][lane] = V.Scalar(step * -(p / q) / (q - p))
    }
    panels.timeSlope.fill(V(0))
    tape.state.copy(state)
    for number in 0..<2 {
      setTimes(Double(number + 1) * part)
      evaluator.value(tape)
      for row in 0..<state.rows {
        for lane in lanes.indices {
          let change = tape.velocity[row, lane: lane] - panels.slopes[0].velocity[row, lane: lane]
          panels.timeSlope[row, lane: lane] += weights[number][lane] * change
        }
      }
    }
  }

  private func makeImplicitStage(_ stage: Int, _ table: ButcherTableau.Rosenbrock, _ panels: RosenbrockPanels<V>) {
    let slope = velocities[stage]
    if stage == 0 {
      slope.copy(panels.slopes[0].velocity)
    } else {
      combine(state, stepLengths, job.table.a[stage], velocities, count: stage, into: tape.state)
      setTimes(table.alpha[stage])
      evaluator.value(tape)
      slope.copy(tape.velocity)
    }
    let timeWeight = V(table.d[stage])
    for index in 0..<slope.count {
      slope[index] = slope[index] + timeWeight * panels.timeSlope[index]
      for earlier in 0..<stage {
        slope[index] = slope[index] + V(table.c[stage][earlier]) * velocities[earlier][index]
      }
    }
    rosenbrock?.factors.solve(slope)
  }

  /// Simpson's rule, from the slopes at the start.
  private func integrateBeside(_ table: ButcherTableau.Rosenbrock, _ panels: RosenbrockPanels<V>) {
    let middle = velocities.indices.map { stage in
      V.Scalar(job.table.weights[stage] / 2 + table.second[stage] / 4 + table.third[stage] / 8)
    }
    combine(state, stepLengths, middle, velocities, count: velocities.count, into: tape.state)
    setTimes(1.0 / 2)
    evaluateSlopes(into: panels.slopes[1])
    tape.state.copy(candidate)
    setTimes(1)
    evaluateSlopes(into: panels.slopes[2])
    for lane in lanes.indices where lanes[lane].isActive {
      var sum = Integrands()
      for (slopes, weight) in zip(panels.slopes, [1.0 / 6, 4.0 / 6, 1.0 / 6]) {
        sum.add(weight, slopes.integrands(lane: lane))
      }
      integrate(lane, sum)
    }
  }

  /// t + c h of every lane.
  private func setTimes(_ fraction: Double) {
    for lane in lanes.indices {
      evaluator.times[lane] = lanes[lane].time(at: fraction)
    }
  }
}
