import Foundation
import Testing

@testable import ContinuousFlows

/// Forward then backward: what is missed is the solver's error, and falls with its tolerance.
@Suite struct InversionTests {
  private static let tolerances = [1e-3, 1e-5, 1e-7, 1e-9]

  private static func options(_ tolerance: Double) -> SolverOptions {
    SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance))
  }

  /// Of a nonlinear net in Double: six orders of tolerance are near six orders of error. A step's error is held at the
  /// tolerance, and dopri5 takes tolerance^(−1/5) steps, so the error's power of the tolerance lies between 4/5 and 1;
  /// with a fifth on either side, since steps of the roughest tolerance are few.
  @Test(arguments: Backend.allCases) func errorsFallWithTheTolerance(backend: Backend) throws {
    let flow = ContinuousFlow(dimension: 3, hidden: [16, 16], activation: .tanh, endTime: 1, seed: 1)
    var scaled = flow
    scaled.parameters = flow.parameters.map { 3 * $0 }
    let samples = scaled.baseSamples(count: 20, seed: 3)
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

  /// Of `dx/dt = diag(a) x` the bar is derived: a step errs by the tolerance times 1 + |x| at most, the way on
  /// stretches that by e^{|a|T} at most, there and back alike.
  @Test(arguments: tolerances) func linearFlowsMissByNoMoreThanTheirSteps(tolerance: Double) throws {
    let (rates, endTime): ([Float], Double) = ([0.75, -0.5], 1.5)
    var program = FieldProgram(stateDimension: 2)
    program.append(.linear(input: .state, rows: 2, activation: .identity))
    let flow = ContinuousFlow(
      program: program, parameters: [rates[0], 0, 0, rates[1], 0, 0], endTime: endTime)
    let samples = SampleMatrix(count: 3, dimension: 2, values: [1, -2, 0.3, 1, 2.5, -1])
    let error = try flow.inversionError(of: samples, options: Self.options(tolerance), scalar: Double.self)
    // Six evaluations are a step's.
    let steps = error.evaluationsMean / 6
    let stretch = exp(0.75 * endTime)
    // |x| up to 2.5, and e^{0.5 T} of it on the way.
    let size = 1 + 2.5 * exp(0.5 * endTime)
    #expect(error.failed == 0)
    #expect(error.stateMaximum < steps * tolerance * size * stretch, "\(error)")
    // The trace is a constant, whose integral a method has up to rounding, in each way's steps.
    #expect(error.logDeterminantMaximum < 2 * steps * 1e-15, "\(error)")
  }

  /// Float's own rounding is the floor: with tighter tolerances nothing more is won, and nothing is lost.
  @Test func floatsHaveAFloor() throws {
    let flow = ContinuousFlow(dimension: 2, hidden: [8], seed: 2)
    let samples = flow.baseSamples(count: 10, seed: 1)
    let error = try flow.inversionError(of: samples, options: Self.options(1e-6))
    // Some tens of steps, each of a rounding of numbers up to 4, stretched a little.
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
    let samples = flow.baseSamples(count: 3, seed: 1)
    let errors = try [Float(0), 5].map {
      try flow.inversionError(
        of: samples, context: SampleMatrix(count: 3, dimension: 1, values: [$0, $0, $0]), scalar: Double.self)
    }
    #expect(errors[0] != errors[1] && errors.allSatisfy { $0.failed == 0 && $0.stateMaximum < 1e-3 })
  }
}
