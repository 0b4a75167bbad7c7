import ContinuousFlows
import FlowIO

/// Samples at several times on their paths from base to data: what `cnf sample --times` writes.
struct SamplePaths {
  let times: [Double]
  /// `[times][count][D]`.
  let states: [SampleMatrix]
  /// `[times][count]`; nil: not asked for.
  let logDensities: [[Double]]?

  /// - Parameter context: `[count][C]`; nil: none.
  /// - Throws: a usage failure for times outside the flow's, and for a model that has no paths.
  init(
    of run: TrainedRun, count: Int, seed: UInt64, times list: TimeList, withLogDensities: Bool, context: SampleMatrix?
  ) throws {
    let (options, backend, times) = (run.settings.evaluationSolverOptions, run.settings.backend, list.times)
    self.times = times
    let flow = try run.pathFlow(for: "sample --times")
    try list.check(until: flow.totalTime)
    guard withLogDensities else {
      states = try flow.paths(
        count: count, seed: seed, times: times, options: options, backend: backend, context: context)
      logDensities = nil
      return
    }
    let found = try flow.logDensityPaths(
      count: count, seed: seed, times: times, options: options, backend: backend, context: context)
    states = found.states
    logDensities = found.logDensities
  }

  private var count: Int { states[0].count }
  private var dimension: Int { states[0].dimension }

  /// The sample at time `index`, and its log-density where there is one.
  private func row(_ index: Int, _ sample: Int) -> [Double] {
    Array(states[index][sample]) + (logDensities.map { [$0[index][sample]] } ?? [])
  }

  /// `.npy`: float64 `[times][count][D]`, D + 1 with log-densities; `.csv`: the lines of `lines`.
  func write(to file: ResultFile) throws {
    let columns = dimension + (logDensities == nil ? 0 : 1)
    let rows = times.indices.flatMap { index in (0..<count).map { (index, $0) } }
    if file.isTable {
      try file.write(
        rows.flatMap { [times[$0.0]] + row($0.0, $0.1) }, count: rows.count, columns: columns + 1)
    } else {
      try file.write(rows.flatMap { row($0.0, $0.1) }, shape: [times.count, count, columns])
    }
  }

  /// One line for each time and sample: the time, the sample, and its log-density where there is one.
  func print() throws {
    for index in times.indices {
      for sample in 0..<count {
        try Terminal.result(
          "\(times[index]),\(row(index, sample).map(\.description).joined(separator: ","))")
      }
    }
  }

  /// - Parameter path: the file that the samples were written to; nil: the result holds them.
  func json(writtenTo path: String?) -> JSONValue {
    var result: [(key: String, value: JSONValue)] = [
      ("count", .integer(count)), ("dimension", .integer(dimension)), ("times", .array(times.map { .number($0) })),
    ]
    if let logDensities {
      result.append(("log_density", .array(logDensities.map { .array($0.map { .number($0) }) })))
    }
    if let path {
      result.append(("out", .string(path)))
    } else {
      let all = states.map { matrix in
        JSONValue.array((0..<count).map { row in .array(matrix[row].map { .number($0) }) })
      }
      result.append(("samples", .array(all)))
    }
    return .object(result)
  }
}
