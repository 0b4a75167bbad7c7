import Foundation
import Testing

@testable import ContinuousFlows

/// Compares the probability flow of Gaussian data, with its analytic score, with closed forms.
@Suite struct ProbabilityFlowTests {
  static let dimensions = [1, 2, 5]
  private static let count = 12
  private static let tight = SolverOptions(
    method: "dopri8", control: .perSample(rtol: 1e-9, atol: 1e-9), trace: .exactTangents)
  /// About 30 steps. Each errs by 1e-9 in a state that grows by 1/√λ < 5 towards the base; there the score is at most
  /// 5.
  private static let tolerance = 30 * 5 * 5 * 1e-9

  private func solve(
    _ program: FieldProgram, _ states: [Double], from start: Double, to end: Double
  ) throws -> Solution<Double> {
    let solver = try makeSolver(program: program, options: Self.tight, scalar: Double.self)
    let solution = try solver.solve(SolveProblem(parameters: [], states: states, from: start, to: end))
    try SolveFailure.check(solution)
    return solution
  }

  /// With the exact distribution at s = 1 as base, the likelihood is that of the data plus the noise of s = 10⁻⁵.
  @Test(arguments: DiffusionProcess.all, dimensions)
  func likelihoodIsExact(process: DiffusionProcess, dimension: Int) throws {
    let data = GaussianDiffusion(process, dimension: dimension)
    let flow = data.model.probabilityFlow
    let (start, end) = (DiffusionAngle(process, at: 1), DiffusionAngle(process, at: DiffusionProcess.cutoff))
    let points = data.points(count: Self.count)
    let states = points.flatMap { data.turned($0) }.map { $0 / end.scale }
    let solution = try solve(flow.program, states, from: flow.endTime, to: 0)
    for (sample, w) in points.enumerated() {
      let y = Array(solution.states[sample * dimension..<(sample + 1) * dimension])
      let base = data.turned(y.map { $0 * start.scale })
      // log p(x) = log p₁(x₁) + log |dx₁/dx| with x₁ = n₁ y₁ and x = n y.
      let found =
        data.logDensity(base, at: 1) + solution.logDeterminants[sample]
        + Double(dimension) * log(start.scale / end.scale)
      let exact = data.logDensity(w, at: DiffusionProcess.cutoff)
      #expect(abs(found - exact) < Self.tolerance, "\(process) D \(dimension) sample \(sample): \(found), \(exact)")
    }
  }

  /// The same flow in the paper's time and coordinates, from drift and diffusion, has the same density and the same
  /// states at s = 1.
  @Test(arguments: DiffusionProcess.all, dimensions)
  func itIsThePapersFlow(process: DiffusionProcess, dimension: Int) throws {
    let data = GaussianDiffusion(process, dimension: dimension)
    let cutoff = DiffusionProcess.cutoff
    let points = data.points(count: Self.count)
    let states = points.flatMap { data.turned($0) }
    let (start, end) = (DiffusionAngle(process, at: 1), DiffusionAngle(process, at: cutoff))
    let flow = data.model.probabilityFlow
    let ours = try solve(flow.program, states.map { $0 / end.scale }, from: flow.endTime, to: 0)
    let paper = try solve(data.fieldInPaperTime, states, from: cutoff, to: 1)
    for (sample, w) in points.enumerated() {
      let rows = sample * dimension..<(sample + 1) * dimension
      let exact = data.carried(w, from: cutoff, to: 1)
      for (name, x1) in [
        ("paper", paper.states[rows].map { $0 }), ("ours", ours.states[rows].map { $0 * start.scale }),
      ] {
        for (one, other) in zip(data.turned(x1), exact) {
          #expect(
            abs(one - other) < Self.tolerance * max(1, process.baseDeviation), "\(name) \(process) D \(dimension)")
        }
      }
      let found = data.logDensity(data.turned(Array(paper.states[rows])), at: 1) + paper.logDeterminants[sample]
      let density = data.logDensity(w, at: cutoff)
      #expect(abs(found - density) < Self.tolerance, "paper's density, \(process) D \(dimension)")
    }
  }

  /// Tests the model's own calls, in Float: its density is that of its base, carried along the flow, and so are its
  /// samples.
  @Test(arguments: DiffusionProcess.all, dimensions)
  func theModelsCallsAreThatFlow(process: DiffusionProcess, dimension: Int) throws {
    let data = GaussianDiffusion(process, dimension: dimension)
    var model = data.model
    let (shift, scale) = (0.5, 2.0)
    model.transform = DataTransform(
      shift: Array(repeating: shift, count: dimension), scale: Array(repeating: scale, count: dimension))
    let points = data.points(count: Self.count)
    let values = points.flatMap { data.turned($0) }.map { $0 * scale + shift }
    let options = SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6))
    let densities = try model.logDensities(
      of: SampleMatrix(count: Self.count, dimension: dimension, values: values), options: options)
    let cutoff = DiffusionProcess.cutoff
    let (before, after) = (data.moments(at: cutoff).variance, data.moments(at: 1).variance)
    let growth = zip(before, after).reduce(0) { $0 + 0.5 * log($1.1 / $1.0) }
    // As `tolerance`, with steps of 1e-6 and about 30 · 10 roundings in Float.
    let tolerance = 30 * 5 * 5 * 1e-6 + 300 * 5 * Double(Float.ulpOfOne)
    for (sample, w) in points.enumerated() {
      let base = data.carried(w, from: cutoff, to: 1).reduce(0) {
        $0 + GaussianDiffusion.logNormal($1, 0, process.baseDeviation * process.baseDeviation)
      }
      let exact = base + growth - Double(dimension) * log(Double(scale))
      #expect(abs(densities.values[sample] - exact) < tolerance, "\(process) D \(dimension): \(exact)")
    }
    let samples = try model.samples(count: Self.count, seed: 3, options: options)
    let normal = BaseDistribution.standardNormal.samples(count: Self.count, dimension: dimension, seed: 3)
    for sample in 0..<Self.count {
      let base = data.turned(normal[sample].map { Double($0) * process.baseDeviation })
      let exact = data.turned(data.carried(base, from: 1, to: DiffusionProcess.cutoff))
      for (found, exact) in zip(samples[sample], exact) {
        #expect(abs(Double(found - shift) / Double(scale) - exact) < tolerance, "sample of \(process) D \(dimension)")
      }
    }
  }
}
