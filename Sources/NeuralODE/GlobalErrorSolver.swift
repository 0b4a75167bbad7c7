/// Solves until the error at the end of the solve, not only of each step, is within the tolerances.
///
/// Step control bounds the error of each step. The error at the end is the sum of all step errors, each carried along
/// by the field's own flow; orbits and expanding fields make it hundreds of tolerances. Here every sample is solved
/// with the given tolerances and again with finer ones, until two solves in a row agree within the given tolerances.
/// The finer one is kept. The difference of the two is about the error of the coarser one (Hairer, Nørsett, Wanner I,
/// II.4: for small tolerances the error is proportional to a power of them), so the kept one is more accurate than
/// that. This takes at least two solves, and 2.3 to 3 times the work of one solve when the first would have been
/// enough.
///
/// Samples stay independent of each other: each is refined until it is done, with the same bits as alone.
public final class GlobalErrorSolver<Scalar: FlowScalar> {
  /// Factor of the tolerances from one solve to the next.
  public static var refinement: Double { 0.1 }

  public let program: FieldProgram
  public let options: SolverOptions
  /// Largest number of refinements of a sample's tolerances.
  public let maximumRefinements: Int
  private let backend: Backend
  /// One solver for each number of refinements.
  private var solvers: [any FieldSolver<Scalar>] = []

  /// - Parameter options: options with `perSample` control, whose tolerances the end state must meet.
  /// - Throws: `KernelError` for a refused option. Another control is a precondition failure.
  public init(
    program: FieldProgram, options: SolverOptions, maximumRefinements: Int = 6, backend: Backend = .c
  ) throws {
    guard case .perSample = options.control else {
      preconditionFailure("a global error needs step control by sample, not \(options.control)")
    }
    precondition(maximumRefinements >= 1, "\(maximumRefinements) refinements, must be at least 1")
    self.program = program
    self.options = options
    self.maximumRefinements = maximumRefinements
    self.backend = backend
    solvers = [try makeSolver(program: program, options: options, backend: backend)]
  }

  /// The result of a solve.
  public struct Result: Sendable {
    /// Each sample's last successful solve, but with counts of steps and evaluations over all solves, and the status of
    /// the last solve.
    public var solution: Solution<Scalar>
    /// `[count]`: the difference of each sample's last two solves relative to the tolerances, in the solver's norm, the
    /// larger of its values at the end and at output times. At most 1 if the sample met them; NaN if there are fewer
    /// than two solves.
    public var errors: [Double]
    /// `[count]`.
    public var refinements: [Int]

    /// Whether sample number `sample` arrived, within the tolerances.
    public func isWithinTolerances(_ sample: Int) -> Bool {
      solution.statuses[sample] == .ok && errors[sample] <= 1
    }
  }

  /// Solves every sample from its start to its end, within the tolerances if possible.
  ///
  /// - Throws: `KernelError` for a refused option.
  public func solve(_ problem: SolveProblem<Scalar>) throws -> Result {
    let dimension = program.stateDimension
    var result = Result(solution: try solvers[0].solve(problem), errors: [], refinements: [])
    let count = result.solution.statuses.count
    result.errors = Array(repeating: .nan, count: count)
    result.refinements = Array(repeating: 0, count: count)
    var open = (0..<count).filter { Self.isWorthRefining(result.solution.statuses[$0]) }
    for refinements in 1...maximumRefinements where !open.isEmpty {
      let finer = try solver(refinements).solve(problem.samples(open, dimension: dimension))
      var next: [Int] = []
      for (row, sample) in open.enumerated() {
        let (before, now) = (result.solution.statuses[sample], finer.statuses[row])
        result.refinements[sample] = refinements
        result.errors[sample] =
          before == .ok && now == .ok ? distance(of: finer, row, from: result.solution, sample) : .nan
        if now == .ok { result.solution.take(row, of: finer, into: sample, dimension: dimension) }
        result.solution.addCounts(row, of: finer, into: sample)
        // One failure is allowed: with the next tolerances the solve may succeed.
        let goesOn = now == .ok || before == .ok && Self.isWorthRefining(now)
        if goesOn, !(result.errors[sample] <= 1) { next.append(sample) }
      }
      open = next
    }
    return result
  }

  /// A coarse step can leave the region in which the field can be solved, and finer steps may stay in it. But if a
  /// sample needed too many steps, finer tolerances only need more.
  private static func isWorthRefining(_ status: SampleStatus) -> Bool {
    switch status {
    case .ok, .stepTooSmall, .notFinite: true
    case .maximumSteps, .eventUndefined, .cancelled: false
    }
  }

  private func solver(_ refinements: Int) throws -> any FieldSolver<Scalar> {
    while solvers.count <= refinements {
      var finer = options
      let factor = (0..<solvers.count).reduce(1.0) { product, _ in product * Self.refinement }
      if case .perSample(let rtol, let atol) = options.control {
        finer.control = .perSample(rtol: rtol * factor, atol: atol * factor)
      }
      finer.relativeTolerances = options.relativeTolerances?.map { $0 * factor }
      finer.absoluteTolerances = options.absoluteTolerances?.map { $0 * factor }
      solvers.append(try makeSolver(program: program, options: finer, backend: backend))
    }
    return solvers[refinements]
  }

  /// The difference in the norm of step control, relative to the tolerances.
  private func distance(
    of finer: Solution<Scalar>, _ row: Int, from coarser: Solution<Scalar>, _ sample: Int
  ) -> Double {
    let dimension = program.stateDimension
    let times = finer.logDeterminantsAtTimes.count / max(finer.statuses.count, 1)
    var largest = norm(
      finer.states[row * dimension..<(row + 1) * dimension],
      coarser.states[sample * dimension..<(sample + 1) * dimension],
      finer.logDeterminants[row], coarser.logDeterminants[sample])
    for time in 0..<times {
      let (new, old) = (row * times + time, sample * times + time)
      let distance = norm(
        finer.statesAtTimes[new * dimension..<(new + 1) * dimension],
        coarser.statesAtTimes[old * dimension..<(old + 1) * dimension], finer.logDeterminantsAtTimes[new],
        coarser.logDeterminantsAtTimes[old])
      largest = distance > largest || distance.isNaN ? distance : largest
    }
    return largest
  }

  private func norm(
    _ new: ArraySlice<Scalar>, _ old: ArraySlice<Scalar>, _ newLogDeterminant: Double, _ oldLogDeterminant: Double
  ) -> Double {
    guard case .perSample(let rtol, let atol) = options.control else { return .nan }
    var scaled = zip(new, old).enumerated().map { row, pair in
      let (relative, absolute) = (options.relativeTolerances?[row] ?? rtol, options.absoluteTolerances?[row] ?? atol)
      return (Double(pair.0) - Double(pair.1)) / (absolute + relative * abs(Double(pair.0)))
    }
    if options.trace != .none, options.errorNormIncludesLogDeterminant {
      scaled.append((newLogDeterminant - oldLogDeterminant) / (atol + rtol * abs(newLogDeterminant)))
    }
    switch options.errorNorm {
    case .rootMeanSquare: return (scaled.reduce(0) { $0 + $1 * $1 } / Double(scaled.count)).squareRoot()
    case .maximum: return scaled.reduce(0) { max($0, abs($1)) }
    }
  }
}

extension Solution {
  /// Replaces the result of one sample by that of another solve.
  fileprivate mutating func take(_ row: Int, of other: Solution, into sample: Int, dimension: Int) {
    func copy<Value>(_ from: [Value], to: inout [Value]) {
      guard !from.isEmpty else { return }
      let width = from.count / other.statuses.count
      to.replaceSubrange(sample * width..<(sample + 1) * width, with: from[row * width..<(row + 1) * width])
    }
    copy(other.states, to: &states)
    copy(other.logDeterminants, to: &logDeterminants)
    copy(other.timesReached, to: &timesReached)
    copy(other.kineticEnergies, to: &kineticEnergies)
    copy(other.frobeniusNorms, to: &frobeniusNorms)
    copy(other.statesAtTimes, to: &statesAtTimes)
    copy(other.logDeterminantsAtTimes, to: &logDeterminantsAtTimes)
    copy(other.events, to: &events)
    copy(other.smallestSteps, to: &smallestSteps)
  }

  fileprivate mutating func addCounts(_ row: Int, of other: Solution, into sample: Int) {
    statuses[sample] = other.statuses[row]
    acceptedSteps[sample] += other.acceptedSteps[row]
    rejectedSteps[sample] += other.rejectedSteps[row]
    evaluations[sample] += other.evaluations[row]
  }
}
