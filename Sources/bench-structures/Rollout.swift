import ContinuousFlows

/// Long paths of a learned field, and the drift of their true energy.
struct Rollout {
  let times: [Double]
  /// Mean over paths of |H(t) − H(0)| / |H(0)| at each of `times`, with the true H; infinite from the first failed path
  /// on.
  let drifts: [Double]
  let evaluationsMean: Double

  static let paths = 50
  private static let outputs = 200
  private static let seed: UInt64 = 99

  init(of model: DynamicsModel, on system: MechanicalSystem, options: SolverOptions) throws {
    // Divides first: the quotient ends at exactly 1, so no time exceeds the solve's end.
    times = (1...Self.outputs).map { system.duration * (Double($0) / Double(Self.outputs)) }
    let dimension = system.dimension
    let start = system.states(count: Self.paths, seed: Self.seed)
    let solver = try makeSolver(program: model.program, options: options, scalar: Double.self)
    let solution = try solver.solve(
      SolveProblem(
        parameters: model.parameters.map { Double($0) }, states: start, from: 0, to: system.duration,
        outputTimes: times))
    var sums = Array(repeating: 0.0, count: times.count)
    for path in 0..<Self.paths {
      let before = system.energy(Array(start[path * dimension..<(path + 1) * dimension]))
      for time in times.indices {
        let first = (path * times.count + time) * dimension
        let after = system.energy(Array(solution.statesAtTimes[first..<first + dimension]))
        sums[time] += solution.statuses[path] == .ok ? abs(after - before) / abs(before) : .infinity
      }
    }
    drifts = sums.map { $0 / Double(Self.paths) }
    evaluationsMean = Double(solution.evaluations.reduce(0, +)) / Double(Self.paths)
  }

  /// The mean over the first fifth of the time (the paper's 20), and over the last fifth.
  var early: Double { Self.mean(drifts.prefix(drifts.count / 5)) }
  var late: Double { Self.mean(drifts.suffix(drifts.count / 5)) }

  private static func mean(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
}
