import FieldPrograms

/// One thread's memory for a call, and the work on a chunk: solve it, then differentiate it while its data are in
/// cache.
final class ChunkWorker<V: LaneVector> {
  private let job: SolveJob<V.Scalar>
  private let solver: TileSolver<V>
  /// One of the two is present if a gradient is wanted.
  private let discreteAdjoint: DiscreteAdjoint<V>?
  private let continuousAdjoint: ContinuousAdjoint<V>?

  init(job: SolveJob<V.Scalar>) {
    let evaluator = FieldEvaluator<V>(
      plan: job.plan, weights: job.weights, resolution: job.resolution, probeCount: job.options.probeCount,
      groups: job.groups, isReversible: job.loss != nil)
    self.job = job
    solver = TileSolver(job: job, evaluator: evaluator)
    let isDiscrete = if case .continuous = job.options.adjoint { false } else { true }
    discreteAdjoint = evaluator.cotangents.flatMap {
      isDiscrete ? DiscreteAdjoint(job: job, evaluator: evaluator, bars: $0) : nil
    }
    continuousAdjoint = evaluator.cotangents.flatMap {
      isDiscrete ? nil : ContinuousAdjoint(job: job, evaluator: evaluator, bars: $0)
    }
  }

  /// Solves a chunk.
  func solve(_ samples: Range<Int>) {
    solver.solve(samples, keepsRecords: job.keepsFractions)
  }

  /// Solves a chunk, and adds its gradient to `sums`.
  func differentiate(_ samples: Range<Int>, into sums: GradientSums<V>) {
    solver.solve(samples, keepsRecords: discreteAdjoint != nil)
    discreteAdjoint?.reverse(samples, records: solver.records, lastRecords: solver.lastRecords, sums: sums)
    continuousAdjoint?.reverse(samples, sums: sums)
  }

  /// The ends of accepted steps, as fractions from 0 to 1, of every sample of the last chunk; empty if it failed.
  func acceptedFractions() -> [[Double]] {
    solver.lastRecords.map { last in
      var fractions: [Double] = last < 0 ? [] : [1]
      var record = last
      while record >= 0 {
        fractions.append(solver.records.steps[record].fraction)
        record = solver.records.steps[record].previous
      }
      return fractions.reversed()
    }
  }
}

/// Velocities and divergences at the initial states, without a solve. One object per worker.
final class ChunkEvaluation<V: LaneVector> {
  private let job: SolveJob<V.Scalar>
  private let evaluator: FieldEvaluator<V>
  private let tape: FieldTape<V>
  private let divergences: Panel<V>
  private let noFrobeniusNorm: Panel<V>

  init(job: SolveJob<V.Scalar>) {
    self.job = job
    evaluator = FieldEvaluator<V>(
      plan: job.plan, weights: job.weights, resolution: job.resolution, probeCount: job.options.probeCount,
      groups: job.groups, isReversible: false)
    tape = evaluator.makeTape(isReversible: false)
    divergences = evaluator.pool.panel(rows: 1, groups: job.groups)
    noFrobeniusNorm = evaluator.pool.panel(rows: 0, groups: job.groups)
  }

  /// Writes f(x, t0) to the job's states and its divergence to the log-determinants.
  func evaluate(_ samples: Range<Int>) {
    let dimension = job.plan.stateDimension
    let start = samples.isEmpty ? 0 : job.problem.startTime(of: samples.lowerBound)
    for lane in 0..<evaluator.times.count { evaluator.times[lane] = start }
    var first = samples.lowerBound
    while first < samples.upperBound {
      let filled = min(tape.state.lanes, samples.upperBound - first)
      for lane in 0..<filled {
        for row in 0..<dimension {
          tape.state[row, lane: lane] = job.problem.states[(first + lane) * dimension + row]
        }
        evaluator.times[lane] = job.problem.startTime(of: first + lane)
        if !evaluator.probes.isEmpty { job.loadProbes(of: first + lane, into: evaluator.probes, lane: lane) }
        job.loadInputs(of: first + lane, into: evaluator, lane: lane)
      }
      evaluator.value(tape)
      if job.resolution.trace != .none {
        evaluator.divergence(tape, into: divergences, frobenius: noFrobeniusNorm)
      }
      for lane in 0..<filled {
        for row in 0..<dimension { job.states[(first + lane) * dimension + row] = tape.velocity[row, lane: lane] }
        if job.resolution.trace != .none { job.logDeterminants[first + lane] = Double(divergences[0, lane: lane]) }
      }
      first += filled
    }
  }
}
