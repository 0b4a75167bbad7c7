import Foundation
import Testing

@testable import ContinuousFlows

/// Compares conditional flows with closed forms: densities worked out by hand, and a trained flow against a conditional
/// Gaussian of known entropy.
@Suite struct ConditionalFlowTests {
  /// dx/dt = W c, so that p(x|c) = N(x; T W c, I).
  private static func shifting(_ weights: [Float], columns: Int, _ contextKind: ContextKind?) -> ContinuousFlow {
    var program = FieldProgram(stateDimension: 2)
    let context = program.append(.context(rows: columns))
    program.append(.linear(input: context, rows: 2, activation: .identity))
    return ContinuousFlow(program: program, parameters: weights + [0, 0], endTime: 2, contextKind: contextKind)
  }

  private static func normal(_ x: ArraySlice<Double>, mean: [Double]) -> Double {
    zip(x, mean).reduce(-log(2 * Double.pi)) { $0 - 0.5 * ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  private static let points = SampleMatrix(count: 4, dimension: 2, values: [0.5, -1, 2, 0.3, -1.5, 1, 0, 0])
  /// The rounding of states in Float, of size 5 at most, in half of their squares.
  private static let rounding = 1e-5

  /// The field reads standardised columns.
  @Test(arguments: Backend.allCases) func columnsAreReadStandardised(backend: Backend) throws {
    let contextKind = ContextKind.columns(DataTransform(shift: [10], scale: [4]))
    let flow = Self.shifting([1, -0.5], columns: 1, contextKind)
    let context = SampleMatrix(count: 4, dimension: 1, values: [10, 14, 2, 12])
    let densities = try flow.logDensities(of: Self.points, backend: backend, context: context)
    for sample in 0..<4 {
      let c = (Double(context.values[sample]) - 10) / 4
      let expected = Self.normal(Self.points[sample], mean: [2 * c, -c])
      #expect(abs(densities.values[sample] - expected) < Self.rounding, "sample \(sample)")
    }
    let samples = try flow.samples(count: 4, seed: 3, backend: backend, context: context)
    let base = SampleMatrix(flow.baseSamples(count: 4, seed: 3))
    for (index, value) in samples.values.enumerated() {
      let c = (context.values[index / 2] - 10) / 4
      #expect(abs(value - base.values[index] - (index % 2 == 0 ? 2 * c : -c)) < 1e-5)
    }
  }

  /// Applies Bayes' rule to three Gaussians. A class of probability 0 is never chosen.
  @Test(arguments: Backend.allCases) func classesByBayesRule(backend: Backend) throws {
    let probabilities = [0.2, 0.5, 0.3, 0]
    let flow = Self.shifting([1, -1, 0, 0, 0, 0.5, -1, 0], columns: 4, .classes(probabilities: probabilities))
    let means = [[2.0, 0], [-2, 1], [0, -2], [0, 0]]
    let densities = try flow.classDensities(of: Self.points, backend: backend)
    #expect(densities.count == 4 && densities.classCount == 4 && densities.failed == 0)
    for sample in 0..<4 {
      let expected = means.map { Self.normal(Self.points[sample], mean: $0) }
      for label in 0..<4 { #expect(abs(densities.values[4 * sample + label] - expected[label]) < Self.rounding) }
      let joint = zip(expected, probabilities).map { exp($0) * $1 }
      let marginal = joint.reduce(0, +)
      #expect(abs(densities.logMarginals[sample] - log(marginal)) < Self.rounding)
      for label in 0..<3 {
        #expect(
          abs(exp(densities.logPosteriors[4 * sample + label]) - joint[label] / marginal) < Self.rounding)
      }
      #expect(densities.logPosteriors[4 * sample + 3] == -.infinity)
      #expect(densities.predictions[sample] == joint.indices.max { joint[$0] < joint[$1] })
    }
    // (0, 0) is nearest to the mean of the class of probability 0. The means of length 2 come next.
    #expect(densities.predictions[3] == densities.predictions[3].map { min($0, 2) })
    let right = densities.predictions.map { UInt8($0 ?? 9) }
    #expect(densities.accuracy(labels: right) == 1)
    #expect(densities.accuracy(labels: [right[0], 3, 3, 3]) == 0.25)
  }

  @Test func classesWithoutDensitiesAreNotChosen() {
    let densities = ClassDensities(
      values: [.nan, -3, -.infinity, -.infinity, -1, -1], probabilities: [0.5, 0.5])
    #expect(densities.predictions == [1, nil, 0] && densities.failed == 1)
    #expect(densities.logMarginals[0].isNaN && densities.logMarginals[1] == -.infinity)
    #expect(abs(densities.logMarginals[2] + 1) < 1e-15)
  }

  /// x = A c + L ε with standard normal c and ε: p(x|c) = N(A c, L Lᵀ), whose entropy is log 2πe + log det L.
  private static let map: [Double] = [1.5, -0.5, 0.5, 1]
  private static let factor: [Float] = [0.6, 0, 0.3, 0.4]

  private static func gaussian(count: Int, seed: UInt64) throws -> Dataset {
    let source = RandomSource(seed: seed, stream: .data)
    var values: [Double] = []
    for sample in 0..<UInt64(count) {
      let n = (0..<4).map { source.normal(sample: sample, dimension: $0) }
      for row in 0..<2 {
        let mean = map[2 * row] * n[0] + map[2 * row + 1] * n[1]
        values.append(mean + Double(factor[2 * row]) * n[2] + Double(factor[2 * row + 1]) * n[3])
      }
      // The context has units of its own, as in a file.
      values += [100 + 20 * n[0], -3 + 0.1 * n[1]]
    }
    return try Dataset(name: "gaussian", samples: SampleMatrix(count: count, dimension: 4, values: values))
      .conditionedOnLastColumns(2)
  }

  /// The mean `log p(x|c)` of the set under the true distribution.
  private static func truth(_ data: Dataset) throws -> Double {
    let context = try #require(data.context)
    return (0..<data.count).reduce(0.0) { sum, sample in
      let c = [(context[sample][2 * sample] - 100) / 20, (context[sample][2 * sample + 1] + 3) / 0.1]
      let mean = (0..<2).map { Float(map[2 * $0] * c[0] + map[2 * $0 + 1] * c[1]) }
      return sum + BaseDistribution.fullGaussian(mean: mean, factor: factor).logDensity(data.samples[sample])
    } / Double(data.count)
  }

  /// The allowed gap in nats between a trained flow and the truth: the divergence between them. Measured gaps of short
  /// runs are 0.020 (maximum likelihood) and 0.014 (flow matching). The rest allows for other instruction sets, whose
  /// rounding leads to other runs.
  private static let gaps: [(Objective, Double)] = [(.likelihood, 0.05), (.flowMatching, 0.05)]
  enum Objective { case likelihood, flowMatching }

  @Test(arguments: gaps) func conditionalGaussiansAreLearned(objective: Objective, gap: Double) throws {
    let split = try Self.gaussian(count: 8_000, seed: 1).split(.counts(validation: 200, test: 800))
    let context = try #require(split.train.context)
    let architecture = FieldArchitecture(hidden: [32, 32], activation: .tanh, contextDimension: 2)
    let flow = ContinuousFlow(
      dimension: 2, architecture: architecture, transform: .standardising(split.train.samples),
      contextKind: .columns(standardising: context))
    let rough = SolverOptions(control: .perSample(rtol: 1e-3, atol: 1e-3))
    let options = TrainingOptions(
      steps: objective == .likelihood ? 400 : 3_000, batchSize: 256, learningRate: 1e-2,
      schedule: LearningRateSchedule(.cosine()), averageDecay: 0.99, validationInterval: 250, solver: rough,
      evaluationSolver: rough)
    let trainer: Trainer<ContinuousFlow>
    switch objective {
    case .likelihood:
      trainer = try Trainer(flow: flow, training: split.train, validation: split.validation, options: options)
    case .flowMatching:
      trainer = try Trainer(
        model: flow, objective: FlowMatching(flow: flow, options: options), training: split.train,
        validation: split.validation, options: options)
    }
    let trained = try trainer.run().flow
    let found = -(try trained.evaluate(on: split.test).nllNats)
    let best = try Self.truth(split.test)
    // A check of the reference itself: the true NLL of the samples is within five standard errors, √(D/2)/√800, of the
    // entropy.
    let entropy = log(2 * Double.pi * M_E) + log(0.24)
    #expect(abs(best + entropy) < 5 / 800.0.squareRoot())
    #expect(best - found < gap, "\(best - found) nats behind")
    // The flow has learned from the context: without a context, the best model is the Gaussian of x alone.
    let marginal = GaussianBaseline(fitting: split.train.samples).meanLogDensity(of: split.test.samples)
    #expect(found > marginal + 1)
    // A wrong context gives a worse density.
    let shuffled = split.test.conditioned(on: split.test.context?.rows((0..<800).reversed()))
    #expect(-(try trained.evaluate(on: shuffled).nllNats) < found - 1)
  }

  /// The run has the same bits at any number of threads, and when it is stopped and resumed.
  @Test func runsWithContextRepeat() throws {
    let data = try Self.gaussian(count: 200, seed: 2)
    let architecture = FieldArchitecture(hidden: [8], activation: .tanh, contextDimension: 2)
    let flow = ContinuousFlow(
      dimension: 2, architecture: architecture, seed: 4,
      contextKind: .columns(standardising: try #require(data.context)))
    func run(
      from state: TrainingState<ContinuousFlow>, to steps: Int, threads: Int
    ) throws -> TrainingState<ContinuousFlow> {
      let solver = SolverOptions(control: .fixed(steps: 3), threads: threads)
      let options = TrainingOptions(steps: steps, batchSize: 64, solver: solver, evaluationSolver: solver)
      let trainer = try Trainer(state: state, training: data, validation: nil, options: options, folder: nil)
      _ = try trainer.run()
      return trainer.state
    }
    let start = TrainingState(model: flow, keepsAverage: true)
    let whole = try run(from: start, to: 12, threads: 1).withoutClock
    #expect(try run(from: start, to: 12, threads: 2).withoutClock == whole)
    let folder = try TemporaryFolder()
    try run(from: start, to: 5, threads: 2).write(to: folder.file("half"))
    let half = try TrainingState<ContinuousFlow>(contentsOf: folder.file("half"))
    #expect(try run(from: half, to: 12, threads: 1).withoutClock == whole)
    #expect(whole.model.parameters != flow.parameters)
  }

  /// The gradient by the context agrees with differences.
  @Test(arguments: Backend.allCases) func gradientsAreThoseOfDifferences(backend: Backend) throws {
    let architecture = FieldArchitecture(
      hidden: [8, 8], activation: .tanh, layer: .concatsquash, contextDimension: 2)
    let flow = ContinuousFlow(
      dimension: 2, architecture: architecture, seed: 5,
      contextKind: .columns(DataTransform(shift: [1, 2], scale: [0.5, 3])))
    let samples = SampleMatrix(count: 2, dimension: 2, values: [0.3, -1.1, 0.8, 1.9])
    let context = SampleMatrix(count: 2, dimension: 2, values: [1.2, 4, 0.7, -1])
    let check = try GradientCheck(
      of: flow, at: samples, options: SolverOptions(method: "rk4", control: .fixed(steps: 4)), backend: backend,
      context: context)
    #expect(check.isDiscreteRight && check.isContinuousRight, "\(check.rows)")
    let row = try #require(check.rows.first { $0.name == "context" })
    #expect(row.count == 4 && row.discrete != 0 && row.differences != 0 && row.continuous != 0)
    #expect((row.continuous == nil) == (backend == .swift))
    // Another context gives another result.
    let other = try GradientCheck(
      of: flow, at: samples, options: SolverOptions(method: "rk4", control: .fixed(steps: 4)), backend: backend,
      context: SampleMatrix(count: 2, dimension: 2, values: [0, 0, 0, 0]))
    #expect(zip(check.rows, other.rows).allSatisfy { $0.discrete != $1.discrete })
  }
}
