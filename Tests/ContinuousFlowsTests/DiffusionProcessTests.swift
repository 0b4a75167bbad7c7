import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct DiffusionProcessTests {
  /// Compares drift f and diffusion g with the moments that follow from them: `m′ = f m`, `(σ²)′ = 2 f σ² + g²`, and
  /// `(log-ratio)′ = g²/σ²`.
  @Test(arguments: DiffusionProcess.all)
  func marginalsAreThoseOfTheEquation(process: DiffusionProcess) {
    let h = 1e-5
    for s in stride(from: 0.01, to: 1, by: 0.0495) {
      func slope(_ value: (Double) -> Double) -> Double { (value(s + h) - value(s - h)) / (2 * h) }
      let (drift, g2) = (process.drift(at: s), process.diffusion(at: s) * process.diffusion(at: s))
      let (mean, variance) = (process.meanFactor(at: s), process.deviation(at: s) * process.deviation(at: s))
      let varianceSlope = 2 * drift * variance + g2
      // The error is h² times a third derivative, which is up to about 10³ times the slope at s = 0.01, plus the
      // rounding of a value over h.
      let (tolerance, rounding) = (1e-6, Double.ulpOfOne / h)
      #expect(abs(slope(process.meanFactor) - drift * mean) < tolerance * abs(drift * mean) + rounding, "m′ at \(s)")
      #expect(
        abs(slope { process.deviation(at: $0) * process.deviation(at: $0) } - varianceSlope) < tolerance
          * (abs(varianceSlope) + 2 * abs(drift) * variance + g2) + rounding * max(1, variance), "(σ²)′ at \(s)")
      #expect(
        abs(slope(process.logRatio) - g2 / variance) < tolerance * g2 / variance
          + rounding * max(1, abs(process.logRatio(at: s))),
        "log-ratio at \(s)")
    }
  }

  @Test(arguments: DiffusionProcess.all)
  func logRatiosComeBackToTheirTimes(process: DiffusionProcess) {
    for s in [1e-5, 1e-3, 0.01, 0.1, 0.35, 0.7, 1] {
      let back = process.time(ofLogRatio: process.logRatio(at: s))
      // The rounding of the log-ratio, about 16 ulp, divided by its slope. At the smallest s of `ve` there is no other
      // error.
      let slope = process.diffusion(at: s) * process.diffusion(at: s) / pow(process.deviation(at: s), 2)
      let rounding = 16 * max(1, abs(process.logRatio(at: s))) * Double.ulpOfOne / slope
      #expect(abs(back - s) <= rounding + 4 * s.ulp, "\(process) at \(s): \(back)")
    }
  }

  /// Checks the paper's numbers at both ends, and that time runs from noise to data.
  @Test(arguments: DiffusionProcess.all)
  func endsAreThoseOfThePaper(process: DiffusionProcess) {
    let last = exp(-0.5 * (0.1 + 0.5 * 19.9))
    switch process {
    case .variancePreserving:
      #expect(abs(process.meanFactor(at: 1) - last) < 1e-15)
      #expect(abs(process.deviation(at: 1) - (1 - last * last).squareRoot()) < 1e-15)
      #expect(abs(process.diffusion(at: 1) - 20.0.squareRoot()) < 1e-14 && process.drift(at: 1) == -10)
    case .subVariancePreserving:
      #expect(abs(process.deviation(at: 1) - (1 - last * last)) < 1e-15)
      #expect(abs(process.diffusion(at: 1) - (20 * (1 - pow(last, 4))).squareRoot()) < 1e-14)
    case .varianceExploding:
      #expect(abs(process.deviation(at: 1) - 50) < 1e-13 && process.deviation(at: 0) == 0.01)
      #expect(abs(process.diffusion(at: 1) - 50 * (2 * log(5000.0)).squareRoot()) < 1e-12)
    }
    let times = stride(from: 1.0, through: 0, by: -0.1).map { process.flowTime(at: $0) }
    #expect(times[0] == 0 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    let flow = GaussianDiffusion(process, dimension: 2).model.probabilityFlow
    #expect(flow.endTime == process.flowTime(at: DiffusionProcess.cutoff))
  }

  @Test func processesThatCannotBeMeantSayWhy() {
    for process: DiffusionProcess in [
      .variancePreserving(betaStart: 0), .variancePreserving(betaStart: 2, betaEnd: 1),
      .subVariancePreserving(betaStart: -1), .subVariancePreserving(betaEnd: .infinity),
      .varianceExploding(deviationStart: 1, deviationEnd: 1), .varianceExploding(deviationStart: 0),
    ] { #expect(process.problem != nil, "\(process)") }
    #expect(DiffusionProcess.all.allSatisfy { $0.problem == nil })
    for sampler: ReverseSampler in [
      .eulerMaruyama(steps: 0), .predictorCorrector(signalToNoise: 0), .predictorCorrector(signalToNoise: .nan),
    ] { #expect(sampler.problem != nil, "\(sampler)") }
  }
}
