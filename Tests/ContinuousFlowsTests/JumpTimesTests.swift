import Foundation
import NeuralODE
import PureSwift
import Testing

/// A field with a short pulse: y' = -y + 100 for t from 0.5 to 0.6, and y' = -y otherwise.
@Suite struct JumpTimesTests {
  private static let pulse = FieldCallback(
    name: "pulse",
    float: .init { _, t, x, _, y in
      for lane in 0..<x.count { y[lane] = -x[lane] + (t[lane] >= 0.5 && t[lane] < 0.6 ? 100 : 0) }
    })

  private func decay(jumpTimes: [Double], backend: Backend = .c, steps: StepControl? = nil) -> NeuralODE {
    var program = FieldProgram(stateDimension: 1)
    program.append(.callback(input: .state, rows: 1, Self.pulse))
    let options = SolverOptions(control: steps ?? .perSample(rtol: 1e-6, atol: 1e-6), initialStep: 3, trace: .none)
    return NeuralODE(program: program, parameters: [], options: options, backend: backend, jumpTimes: jumpTimes)
  }

  private let start = StateMatrix(count: 1, dimension: 1, values: [1])

  /// y(3) = exp(-3) + 100 (exp(-2.4) - exp(-2.5)), forward; backward in time from there it is 1 again.
  @Test func aStepEndsAtEachJump() throws {
    let exact = exp(-3) + 100 * (exp(-2.4) - exp(-2.5))
    let found = try decay(jumpTimes: [0.5, 0.6])(start, from: 0, to: 3)
    // About 20 steps with an error of 1e-6 each.
    #expect(abs(Double(found.values[0]) - exact) < 2e-5, "\(found.values)")
    let back = try decay(jumpTimes: [0.5, 0.6])(found, from: 3, to: 0)
    // Errors grow by exp(3) backward in time.
    #expect(abs(back.values[0] - 1) < 20 * 4e-5, "\(back.values)")
    let limited = try NeuralODE(
      program: decay(jumpTimes: []).program, parameters: [],
      options: SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6), maximumStep: 0.05, trace: .none))(
        start, from: 0, to: 3)
    #expect(abs(Double(limited.values[0]) - exact) < 2e-4, "the remedy without jump times: \(limited.values)")
  }

  @Test func refusals() {
    #expect(throws: KernelError.self) { try decay(jumpTimes: [0.6, 0.5])(start, from: 0, to: 3) }
    #expect(throws: KernelError.self) { try decay(jumpTimes: [0.5], steps: .fixed(steps: 4))(start, from: 0, to: 3) }
    #expect(throws: PureSwiftError.jumpTimes) {
      try decay(jumpTimes: [0.5], backend: .swift)(start, from: 0, to: 3)
    }
  }
}
