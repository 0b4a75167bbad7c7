import Foundation
import Testing

@testable import ContinuousFlows

/// Solves forward and then backward. The distance to the start is the solver's error, and falls with its tolerance.
@Suite struct InversionTests {
  private static let tolerances = [1e-3, 1e-5, 1e-7, 1e-9]

  private static func options(_ tolerance: Double) -> SolverOptions {
    SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))
  }

  /// For a nonlinear net in Double, six orders of magnitude of tolerance give about six of error. The error of a step
  /// is near the tolerance, and dopri5 takes tolerance^(−1/5) steps. So the error is a power of the tolerance between
  /// 4/5 and 1. A fifth more is allowed on either side, because there are few steps at the largest tolerance.
  @Test(arguments: Backend.allCases) func errorsFallWithTheTolerance(backend: Backend) throws {
    let flow = ContinuousFlow(dimension: 3, hidden: [16, 16], activation: .tanh, endTime: 1, seed: 1)
    var scaled = flow
    scaled.parameters = flow.parameters.map { 3 * $0 }
    let samples = SampleMatrix(scaled.baseSamples(count: 20, seed: 3))
    let errors = try Self.tolerances.map { tolerance in
      try [
        scaled.inversionError(of: samples, options: Self.options(tolerance), backend: backend, scalar: Double.self),
        scaled.inversionErrorOfSamples(
          count: 20, seed: 4, options: Self.options(tolerance), backend: backend, scalar: Double.self),
      ]
    }
    for way in 0..<2 {
      for figure in [\InversionError.stateRootMeanSquare, \.logDeterminantRootMeanSquare] {
        let first = errors[0][way][keyPath: figure]
        let last = errors[3][way][keyPath: figure]
        let power = log10(first / last) / 6
        #expect(power > 0.6 && power < 1.2, "\(way): \(first) to \(last)")
        for (rough, fine) in zip(errors, errors.dropFirst()) {
          #expect(rough[way][keyPath: figure] > fine[way][keyPath: figure])
        }
      }
      for error in errors.map({ $0[way] }) {
        #expect(error.failed == 0 && error.count == 20 && error.evaluationsMean > 0)
        #expect(error.stateMaximum >= error.stateRootMeanSquare)
        #expect(error.logDeterminantMaximum >= error.logDeterminantRootMeanSquare)
      }
    }
  }

  /// For `dx/dt = diag(a) x` the bound is derived: a step errs by at most the tolerance times 1 + |x|. The rest of the
  /// solve stretches the error by at most e^{|a|T}, forward and backward alike.
  @Test(arguments: tolerances) func linearFlowsMissByNoMoreThanTheirSteps(tolerance: Double) throws {
    let (rates, endTime): ([Float], Double) = ([0.75, -0.5], 1.5)
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let flow = ContinuousFlow(
      program: program, parameters: [rates[0], 0, 0, rates[1], 0, 0], endTime: endTime)
    let samples = SampleMatrix(count: 3, dimension: 2, values: [1, -2, 0.3, 1, 2.5, -1])
    let error = try flow.inversionError(of: samples, options: Self.options(tolerance), scalar: Double.self)
    // A step takes six evaluations.
    let steps = error.evaluationsMean / 6
    let stretch = exp(0.75 * endTime)
    // |x| is at most 2.5 at the start and e^{0.5 T} times that during the solve.
    let size = 1 + 2.5 * exp(0.5 * endTime)
    #expect(error.failed == 0)
    #expect(error.stateMaximum < steps * tolerance * size * stretch, "\(error)")
    // The trace is constant, so its integral is exact up to rounding, in the steps of each direction.
    #expect(error.logDeterminantMaximum < 2 * steps * 1e-15, "\(error)")
  }

  /// Rounding in Float is the smallest possible error. Tighter tolerances neither reduce nor increase it.
  @Test func floatsHaveAFloor() throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [8], seed: 2)
    let samples = SampleMatrix(flow.baseSamples(count: 10, seed: 1))
    let error = try flow.inversionError(of: samples, options: Self.options(1e-6))
    // Some tens of steps, each of which rounds numbers up to 4; the flow stretches these errors a little.
    #expect(error.stateMaximum > 0 && error.stateMaximum < 100 * 4 * 0x1p-24)
    let double = try flow.inversionError(of: samples, options: Self.options(1e-9), scalar: Double.self)
    #expect(double.stateMaximum < error.stateMaximum)
  }

  @Test func failuresAreCounted() throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [8], seed: 2)
    let options = SolverOptions(control: .perSample(rtol: 1e-9, atol: 1e-9), maximumSteps: 1)
    let error = try flow.inversionErrorOfSamples(count: 5, seed: 0, options: options)
    #expect(error.failed == 5 && error.stateMaximum.isNaN && error.logDeterminantRootMeanSquare.isNaN)
  }

  @Test func contextIsHeeded() throws {
    let architecture = FieldArchitecture(hidden: [8], activation: .tanh, contextDimension: 1)
    let flow = ContinuousFlow(dimension: 2, architecture: architecture, seed: 2)
    let samples = SampleMatrix(flow.baseSamples(count: 3, seed: 1))
    let errors = try [0.0, 5].map {
      try flow.inversionError(
        of: samples, context: SampleMatrix(count: 3, dimension: 1, values: [$0, $0, $0]), scalar: Double.self)
    }
    #expect(errors[0] != errors[1] && errors.allSatisfy { $0.failed == 0 && $0.stateMaximum < 1e-3 })
  }
}
