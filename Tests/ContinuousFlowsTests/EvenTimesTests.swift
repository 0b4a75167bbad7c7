import ContinuousFlows
import Testing

/// Evenly spaced times end exactly at the flow's end, however it is rounded, and flows accept them.
@Suite struct EvenTimesTests {
  /// Ends from 0.01 to 4. For 66 of them, 40 T / 40 differs from T; for 37, it is more.
  private static let ends = (1...400).map { Double($0) / 100 }
  private static let counts = [2, 3, 41, 100]

  private static func identity(endTime: Double) -> ContinuousFlow {
    var program = FieldProgram(stateDimension: 1)
    program.append(.linear(input: .state, rows: 1, activation: .identity))
    return ContinuousFlow(program: program, parameters: [0, 0], endTime: endTime)
  }

  private static func check(_ times: [Double], count: Int, end: Double) {
    let name = Comment(rawValue: "\(count) times until \(end)")
    #expect(times.count == count && times.first == 0 && times.last == end, name)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, name)
    for (index, time) in times.enumerated() {
      // Two roundings, of the quotient and of the product.
      let exact = end * Double(index) / Double(count - 1)
      #expect(abs(time - exact) <= 2 * end.ulp, name)
    }
  }

  @Test func theyEndAtTheEnd() {
    for end in Self.ends {
      for count in Self.counts { Self.check(Self.identity(endTime: end).evenTimes(count), count: count, end: end) }
    }
    #expect(Self.identity(endTime: 0.3).evenTimes(1) == [0.3])
  }

  /// A field of 0 does not move its samples.
  @Test func continuousFlowsTakeThem() throws {
    for end in Self.ends {
      let flow = Self.identity(endTime: end)
      let paths = try flow.paths(count: 1, seed: 3, times: flow.evenTimes(41))
      #expect(paths.count == 41 && Set(paths.map(\.values)).count == 1, "T = \(end)")
    }
  }

  @Test(arguments: [1, 2, 3]) func stackedFlowsTakeThem(blocks: Int) throws {
    for end in Self.ends {
      let one = Self.identity(endTime: end)
      let flow = StackedFlow(
        programs: Array(repeating: one.program, count: blocks),
        parameters: Array(repeating: one.parameters, count: blocks).flatMap { $0 }, endTime: end)
      for count in Self.counts { Self.check(flow.evenTimes(count), count: count, end: flow.totalTime) }
      let paths = try flow.paths(count: 1, seed: 3, times: flow.evenTimes(41))
      #expect(paths.count == 41 && Set(paths.map(\.values)).count == 1, "T = \(end), \(blocks) blocks")
    }
  }
}
