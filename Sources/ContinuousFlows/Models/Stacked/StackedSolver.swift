/// Solves the blocks of a stacked flow one after the other, and propagates gradients back through them.
///
/// Each block's solve is that of a single field, so samples stay independent of their neighbours, their place and the
/// number of threads.
struct StackedSolver<Scalar: FlowScalar> {
  let programs: [FieldProgram]
  let endTime: Double
  /// One solver for each block; equal fields share a solver.
  let solvers: [any FieldSolver<Scalar>]
  private let offsets: [Int]

  init(of flow: StackedFlow, options: SolverOptions, backend: Backend) throws {
    programs = flow.programs
    endTime = flow.endTime
    offsets = flow.parameterOffsets
    solvers = try makeSolvers(programs: flow.programs, options: options, backend: backend)
  }

  /// The inputs that all solves of a call share.
  struct Call {
    /// `[P]` of all blocks.
    var parameters: [Scalar]
    /// Initial states of the first solve, `[count][D]`.
    var states: [Scalar]
    /// The seed of probes and dropout. Each block has its own stream; block 0 has that of a single flow.
    var seed: UInt64 = 0
    var step: UInt64 = 0
    var identifiers: [UInt64]?
    /// `[count][C]`.
    var context: [Scalar] = []
    var dropoutIsActive = false
  }

  /// From the data to the base: block K − 1 first.
  func solveToBase(_ call: Call) throws -> Solution<Scalar> {
    try solve(call, blocks: programs.indices.reversed()) { _ in (from: endTime, to: 0) }
  }

  /// From the base to the data.
  func solveToData(_ call: Call) throws -> Solution<Scalar> {
    try solve(call, blocks: Array(programs.indices)) { _ in (from: 0, to: endTime) }
  }

  /// States at each of `times`, which rise and count over all blocks from 0 to K T: one solve of each block needed,
  /// with all output times in that block.
  ///
  /// - Throws: `SolveFailure` if a sample's solve fails.
  func stops(of call: Call, at times: [Double]) throws -> [PathStop<Scalar>] {
    let dimension = programs[0].stateDimension
    let count = call.states.count / dimension
    var (states, found) = (call.states, [PathStop<Scalar>]())
    var passed = [Double](repeating: 0, count: count)
    for block in programs.indices where found.count < times.count {
      // A time at the end of a block belongs to that block. Times in the last block are clamped, because K T is
      // rounded.
      let isLast = block == programs.count - 1
      let own = times[found.count...].prefix { isLast || $0 <= Double(block + 1) * endTime }.map {
        min(max(0, $0 - Double(block) * endTime), endTime)
      }
      let goesOn = found.count + own.count < times.count
      var problem = problem(call, states, block: block, from: 0, to: goesOn ? endTime : own[own.count - 1])
      problem.outputTimes = own
      let solution = try solvers[block].solve(problem)
      try SolveFailure.check(solution.shifted(by: Double(block) * endTime))
      for time in own.indices {
        found.append(PathStop(solution, time: time, of: own.count, dimension: dimension, passed: passed))
      }
      states = solution.states
      for (sample, logDeterminant) in solution.logDeterminants.enumerated() { passed[sample] += logDeterminant }
    }
    return found
  }

  /// The gradient of `scale · Σ −(log p₀(z) + log-determinant)` with its regularisers, from the data. The
  /// log-determinants of the blocks add up (Grathwohl et al. 2019, arXiv 1810.01367, which stacks its flows this way).
  ///
  /// A first pass solves down to block 0, where the gradient of the likelihood is known. Cotangents then go up through
  /// the blocks, each of which is solved again: block 0 is solved once, the others twice.
  ///
  /// - Parameter check: called with each block's solution, whose times count over all blocks.
  /// - Throws: the errors of `check` and of the solvers.
  func likelihoodGradient(
    _ call: Call, base: BaseDistribution, scale: Double, regularisation: Regularisation,
    check: (Solution<Scalar>) throws -> Void
  ) throws -> StackedGradient<Scalar> {
    var problems = [Int: SolveProblem<Scalar>]()
    var states = call.states
    var logDeterminants = [Double](repeating: 0, count: states.count / programs[0].stateDimension)
    for block in programs.indices.reversed() {
      let problem = problem(call, states, block: block, from: endTime, to: 0)
      problems[block] = problem
      guard block > 0 else { break }
      let solution = try solvers[block].solve(problem)
      try check(solution.shifted(by: Double(block) * endTime))
      states = solution.states
      for sample in logDeterminants.indices { logDeterminants[sample] += solution.logDeterminants[sample] }
    }
    var result = StackedGradient<Scalar>(
      parameters: [], states: [], losses: [], kineticEnergies: [], frobeniusNorms: [],
      evaluations: Array(repeating: 0, count: logDeterminants.count))
    for block in programs.indices {
      guard let problem = problems.removeValue(forKey: block) else { continue }
      let gradient =
        block == 0
        ? try solvers[0].gradient(
          of: base.negativeLogLikelihood(dimension: programs[0].stateDimension, scale: scale),
          regularisation: base.regularisation(regularisation, scale: scale), at: problem)
        : try solvers[block].gradient(
          of: .cotangents(
            states: result.states, logDeterminants: Array(repeating: -scale, count: logDeterminants.count)),
          // With given cotangents, the solver takes the coefficients of the sum as they are.
          regularisation: Regularisation(
            kineticEnergy: scale * regularisation.kineticEnergy, frobeniusNorm: scale * regularisation.frobeniusNorm),
          at: problem)
      try check(gradient.solution.shifted(by: Double(block) * endTime))
      result.add(gradient, isFirst: block == 0)
      if block > 0 { result.addPenalties(of: gradient.solution, regularisation, scale: scale) }
    }
    // With one block these are zeros, which change no bit.
    for sample in result.losses.indices { result.losses[sample] -= scale * logDeterminants[sample] }
    return result
  }

  private func solve(
    _ call: Call, blocks: [Int], times: (Int) -> (from: Double, to: Double)
  ) throws -> Solution<Scalar> {
    var whole: Solution<Scalar>?
    for block in blocks {
      let (start, end) = times(block)
      let solution = try solvers[block].solve(
        problem(call, whole?.states ?? call.states, block: block, from: start, to: end)
      ).shifted(by: Double(block) * endTime)
      if whole == nil { whole = solution } else { whole?.append(solution) }
    }
    return whole
      ?? Solution(
        states: call.states, logDeterminants: [], timesReached: [], statuses: [], acceptedSteps: [], rejectedSteps: [],
        evaluations: [], smallestSteps: [], adjointEvaluations: [])
  }

  func problem(
    _ call: Call, _ states: [Scalar], block: Int, from start: Double, to end: Double
  ) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Array(call.parameters[offsets[block]..<offsets[block + 1]]), states: states, from: start, to: end,
      seed: call.seed.forPart(block), step: call.step, sampleIdentifiers: call.identifiers,
      context: programs[block].contextDimension == 0 ? [] : call.context, dropoutIsActive: call.dropoutIsActive)
  }
}

/// The gradient of a stacked flow's likelihood. All arrays except `parameters` have one entry, or one row, per sample.
struct StackedGradient<Scalar: FlowScalar> {
  /// `∂L/∂θ`, `[P]` of all blocks.
  var parameters: [Scalar]
  /// `∂L/∂x` at the data, `[count][D]`.
  var states: [Scalar]
  /// Each sample's scaled loss, regularisers included.
  var losses: [Double]
  /// Sums over all blocks; empty if they are not integrated.
  var kineticEnergies: [Double]
  var frobeniusNorms: [Double]
  var evaluations: [Int]

  fileprivate mutating func add(_ gradient: Gradient<Scalar>, isFirst: Bool) {
    parameters += gradient.parameters
    states = gradient.states
    if isFirst {
      losses = gradient.losses
      kineticEnergies = gradient.solution.kineticEnergies
      frobeniusNorms = gradient.solution.frobeniusNorms
    } else {
      for index in kineticEnergies.indices { kineticEnergies[index] += gradient.solution.kineticEnergies[index] }
      for index in frobeniusNorms.indices { frobeniusNorms[index] += gradient.solution.frobeniusNorms[index] }
    }
    for sample in evaluations.indices { evaluations[sample] += gradient.solution.evaluations[sample] }
  }

  /// Block 0's loss includes its own regularisers; this adds those of another block.
  fileprivate mutating func addPenalties(of solution: Solution<Scalar>, _ penalty: Regularisation, scale: Double) {
    for (sample, energy) in solution.kineticEnergies.enumerated() {
      losses[sample] += scale * penalty.kineticEnergy * energy
    }
    for (sample, norm) in solution.frobeniusNorms.enumerated() {
      losses[sample] += scale * penalty.frobeniusNorm * norm
    }
  }
}

extension Solution {
  /// The solution of a block that begins at `time`, with times that count over all blocks.
  func shifted(by time: Double) -> Solution {
    guard time != 0 else { return self }
    var shifted = self
    for sample in shifted.timesReached.indices { shifted.timesReached[sample] += time }
    return shifted
  }

  /// Appends `next`, which begins where this ends. A sample that failed keeps its first failure.
  mutating func append(_ next: Solution) {
    states = next.states
    for sample in statuses.indices {
      logDeterminants[sample] += next.logDeterminants[sample]
      if statuses[sample] == .ok {
        statuses[sample] = next.statuses[sample]
        timesReached[sample] = next.timesReached[sample]
      }
      acceptedSteps[sample] += next.acceptedSteps[sample]
      rejectedSteps[sample] += next.rejectedSteps[sample]
      evaluations[sample] += next.evaluations[sample]
      smallestSteps[sample] = min(smallestSteps[sample], next.smallestSteps[sample])
    }
    for sample in kineticEnergies.indices { kineticEnergies[sample] += next.kineticEnergies[sample] }
    for sample in frobeniusNorms.indices { frobeniusNorms[sample] += next.frobeniusNorms[sample] }
  }
}
