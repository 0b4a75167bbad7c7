extension SolveProblem {
  /// The problem for some of its samples, in this order. Each sample keeps its identifier.
  ///
  /// - Parameters:
  ///   - numbers: the indices of the samples.
  ///   - dimension: D, the number of rows of a state.
  public func samples(_ numbers: [Int], dimension: Int) -> SolveProblem {
    let count = states.count / dimension
    func rows<Value>(_ values: [Value]) -> [Value] {
      guard count > 0 else { return values }
      let width = values.count / count
      return numbers.flatMap { values[$0 * width..<($0 + 1) * width] }
    }
    var part = self
    part.states = rows(states)
    part.probes = probes.map(rows)
    part.sampleIdentifiers = sampleIdentifiers.map(rows) ?? numbers.map { UInt64($0) }
    part.startTimes = startTimes.map(rows)
    part.endTimes = endTimes.map(rows)
    part.sampleOutputTimes = sampleOutputTimes.map(rows)
    part.context = rows(context)
    return part
  }
}
