/// Solves until the error at the end, not of each step alone, is within the tolerances.
///
/// Step control bounds the error of each step. What reaches the end is the sum of all, as the field's own flow has carried it
/// there, and orbits or expanding fields make hundreds of tolerances of it. Here every sample is solved at the tolerances and again
/// at finer ones, until two solves in a row agree to within the tolerances; the finer one is kept. Their distance is about the error
/// of the coarser one (Hairer, Nørsett, Wanner I, II.4: for small tolerances the error is in proportion to a power of them), so
/// what is kept is nearer than that. At least two solves, so 2.3 to 3 times the work of one where one would have done.
///
/// Samples stay independent of each other: each goes on until it is done itself, with the bits that it has alone.
public final class GlobalErrorSolver<Scalar: FlowScalar> {
  /// What the tolerances are multiplied by from one solve to the next.
  public static var refinement: Double { 0.1 }

  public let program: FieldProgram
  public let options: SolverOptions
  /// The most often that a sample's tolerances are refined.
  public let maximumRefinements: Int
  private let backend: Backend
  /// By refinements.
  private var solvers: [any FieldSolver<Scalar>] = []

  /// - Parameter options: with `perSample` control, whose tolerances the end is to meet.
  /// - Throws: `KernelError` for a refused option. Another control is a programmer's error.
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

  /// What came of it.
  public struct Result: Sendable {
    /// Of each sample's last solve that ended well, but for the counts of steps and evaluations, which are of all; statuses are those
    /// of the last solve.
    public var solution: Solution<Scalar>
    /// `[count]`: the distance of each sample's last two solves over the tolerances, in the solver's norm, the larger of it at the end
    /// and at output times; at most 1 where the sample met them. NaN where there are not two.
    public var errors: [Double]
    /// `[count]`.
    public var refinements: [Int]

    /// Whether sample number `sample` arrived, and within the tolerances.
    public func isWithinTolerances(_ sample: Int) -> Bool {
      solution.statuses[sample] == .ok && errors[sample] <= 1
    }
  }

  /// Carries every sample from its start to its end, within the tolerances where that can be had.
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
        // One failure is forgiven: at the next tolerances it may be none.
        let goesOn = now == .ok || before == .ok && Self.isWorthRefining(now)
        if goesOn, !(result.errors[sample] <= 1) { next.append(sample) }
      }
      open = next
    }
    return result
  }

  /// A coarse step can lead out of where a field can be followed, to which finer ones keep; more steps than there may be only grow.
  private static func isWorthRefining(_ status: SampleStatus) -> Bool {
    switch status {
    case .ok, .stepTooSmall, .notFinite: true
    case .maximumSteps, .eventUndefined: false
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

  /// In the norm of step control, over the tolerances.
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
  /// One sample's answer in place of another's.
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
