import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// Discrete flows in the same trainer as continuous ones.
@Suite struct DiscreteTrainingTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private static let models: [any DiscreteFlow] = [
    CouplingFlow(
      dimension: 2, depth: 3, hidden: [8], seed: 7, transform: .standardising(TrainingFixture.split.train.samples)),
    AffineFlow(dimension: 2, seed: 7, transform: .standardising(TrainingFixture.split.train.samples)),
    LinearFlow(dimension: 2, transform: .standardising(TrainingFixture.split.train.samples)),
  ]

  private func trainer<Model: DiscreteFlow>(
    _ model: Model, steps: Int, backend: Backend = .c, threads: Int? = nil, folder: RunFolder? = nil
  ) throws -> Trainer<Model> {
    let options = TrainingFixture.options(steps: steps, backend: backend, threads: threads)
    return try Trainer(
      model: model, objective: ExactLikelihood(model: model, options: options), training: TrainingFixture.split.train,
      validation: TrainingFixture.split.validation, options: options, folder: folder)
  }

  @Test(arguments: Backend.allCases) func threadsDoNotMatter(backend: Backend) throws {
    func check<Model: DiscreteFlow>(_ model: Model) throws {
      let (one, three) = (
        try trainer(model, steps: 10, backend: backend, threads: 1),
        try trainer(model, steps: 10, backend: backend, threads: 3)
      )
      _ = try one.run()
      _ = try three.run()
      #expect(one.state.withoutClock == three.state.withoutClock)
      #expect(one.state.model != model)
    }
    for model in Self.models { try check(model) }
  }

  @Test func anInterruptedRunGoesOnAsIfItHadNotBeen() throws {
    func check<Model: DiscreteFlow>(_ model: Model) throws {
      let atOnce = try trainer(model, steps: 25)
      let expected = try atOnce.run()
      let folder = try RunFolder.create(at: temporary.file("\(Model.self)"))
      let first = try trainer(model, steps: 25, folder: folder)
      #expect(try first.run(shouldStop: { first.state.step == 7 }).ending == .interruption)
      let options = TrainingFixture.options(steps: 25, backend: .c)
      let resumed = try Trainer(
        state: TrainingState<Model>(contentsOf: folder.checkpointPath),
        objective: ExactLikelihood(model: model, options: options), training: TrainingFixture.split.train,
        validation: TrainingFixture.split.validation, options: options, folder: folder)
      let result = try resumed.run()
      #expect(resumed.state.withoutClock == atOnce.state.withoutClock)
      #expect(result.model == expected.model)
      #expect(try Model(contentsOf: folder.bestPath) == expected.model)
    }
    for model in Self.models { try check(model) }
  }

  /// The affine map to a standard normal with the highest likelihood gives the Gaussian of full covariance: W = F⁻¹ and
  /// b = −F⁻¹ mean, where F is the covariance's Cholesky factor. There the gradient is 0 and the likelihood has a
  /// closed form. Training from the identity reaches it.
  @Test func affineFlowsBecomeTheGaussian() throws {
    let points = SampleMatrix(count: 300, dimension: 3, values: correlated(300).map { Double($0) })
    let gaussian = GaussianBaseline(fitting: points)
    let best = -gaussian.meanLogDensity(of: points)
    func check<Model: DiscreteFlow>(_ model: Model, _ parameters: [Double]) throws {
      let map = try model.map(threads: nil, backend: .c, scalar: Double.self)
      var loss = 0.0
      let gradient = try map.gradient(at: points.values.map { Double($0) }, parameters: parameters) { image in
        BaseDistribution.standardNormal.negativeLogLikelihood(of: image, dimension: 3, scale: 1.0 / 300, sum: &loss)
      }
      // The bound covers one rounding for each sample, of terms near one.
      #expect(abs(loss - best) < 300 * Double.ulpOfOne * 10, "\(Model.self): \(loss), closed form \(best)")
      #expect(
        gradient.parameters.allSatisfy { abs($0) < 300 * Double.ulpOfOne * 100 },
        "\(Model.self): \(gradient.parameters)")

      // Step sizes fall from 0.05 to 0. The rounding in Float of a mean of 300 terms is far below the bound.
      let options = TrainingOptions(
        steps: 400, batchSize: 300, learningRate: 0.05, schedule: LearningRateSchedule(.cosine()), averageDecay: nil)
      let set = Dataset(name: "correlated", samples: points)
      let trained = try Trainer(
        model: model, objective: ExactLikelihood(model: model, options: options), training: set, options: options
      ).run().model
      let nll = try trained.evaluate(on: set).nllNats
      #expect(nll >= best - 1e-5 && nll < best + 1e-4, "\(Model.self): trained \(nll), closed form \(best)")
      #expect(try model.evaluate(on: set).nllNats > best + 0.1)
    }
    // F⁻¹, column by column.
    let factor = try LUFactors(of: gaussian.factor, order: 3)
    let inverse = factor.inverse()
    let shift = factor.solve(gaussian.mean).map { -$0 }
    try check(LinearFlow(dimension: 3), inverse + shift)
    // F⁻¹ is lower triangular. So L has its columns divided by the diagonal, and U is the diagonal. The permutation P
    // does not change the likelihood.
    let affine = AffineFlow(dimension: 3, seed: 2)
    #expect(affine.permutation != [0, 1, 2])
    let layout = AffineLayout(dimension: 3)
    var parameters = [Double](repeating: 0, count: 12)
    for row in 0..<3 {
      for column in 0..<row { parameters[layout.lower(row, column)] = inverse[row * 3 + column] / inverse[column * 4] }
      parameters[layout.logDiagonal.lowerBound + row] = log(inverse[row * 4])
      parameters[layout.bias.lowerBound + row] = shift[affine.permutation[row]]
    }
    try check(affine, parameters)
  }

  private func correlated(_ count: Int) -> [Float] {
    let source = RandomSource(seed: 4, stream: .data)
    return (0..<count).flatMap { sample -> [Float] in
      let z = (0..<3).map { source.normal(sample: UInt64(sample), dimension: $0) }
      return [Float(0.7 * z[0] + 0.5), Float(0.9 * z[0] + 0.6 * z[1]), Float(z[2] - 0.8 * z[1] - 0.3)]
    }
  }

  /// The flow's NLL is lower than that of a full-covariance Gaussian by this many nats. `PinwheelTests` has the same
  /// for a continuous flow.
  private static let margin = 0.8

  @Test func aTrainedCouplingFlowBeatsAGaussian() throws {
    let split = try DatasetSource("pinwheel").load(count: 5_000, seed: 0).split(.fractions(validation: 0.1, test: 0.1))
    let flow = CouplingFlow(
      dimension: 2, depth: 8, hidden: [32, 32], seed: 0, transform: .standardising(split.train.samples))
    let options = TrainingOptions(
      steps: 600, batchSize: 512, learningRate: 5e-3, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.99)
    let trained = try Trainer(
      model: flow, objective: ExactLikelihood(model: flow, options: options), training: split.train,
      validation: split.validation, options: options
    ).run().model
    let (found, gaussian) = (
      -(try trained.evaluate(on: split.test)).nllNats,
      GaussianBaseline(fitting: split.train.samples).meanLogDensity(of: split.test.samples)
    )
    #expect(found - gaussian > Self.margin, "\(found) against \(gaussian)")
    // The flow's samples have the likelihood of the data, within five standard errors of both means.
    let samples = try trained.samples(count: 2000, seed: 1)
    let drawn = EvaluationResult(try trained.logDensities(of: samples), dimension: 2)
    let held = try trained.evaluate(on: split.test)
    let error = (pow(drawn.nllStandardError, 2) + pow(held.nllStandardError, 2)).squareRoot()
    // Training leaves a gap between data and model, for which the test allows a tenth of a nat more.
    #expect(abs(drawn.nllNats - held.nllNats) < 5 * error + 0.1, "\(drawn.nllNats), \(held.nllNats), error \(error)")
  }

  @Test func optionsThatNeedASolveAreRefused() {
    var options = TrainingFixture.options(steps: 5, backend: .c, regularisation: Regularisation(kineticEnergy: 0.1))
    func refuses(_ name: String, _ flow: AffineFlow) {
      let error = #expect(throws: TrainingError.self) { try ExactLikelihood(model: flow, options: options) }
      guard case .invalidOption(name, _, _) = error else {
        Issue.record("\(name): unexpected \(String(describing: error))")
        return
      }
    }
    refuses("regularisation", AffineFlow(dimension: 2))
    options.regularisation = .none
    options.endTimeJitter = 0.1
    refuses("endTimeJitter", AffineFlow(dimension: 2))
    options.endTimeJitter = 0
    refuses("base", AffineFlow(dimension: 2, base: .uniform(low: [-1, -1], high: [1, 1])))
  }

  @Test func filesComeBackTheSame() throws {
    let path = temporary.file("model.safetensors")
    func check<Model: DiscreteFlow>(_ model: Model) throws {
      var model = model
      if model.dimension == 2 {
        model.base = DiscreteFixture.mixture
        model.transform = .marginals(LevelMarginals(levels: 2, probabilities: [0.25, 0.75, 0.5, 0.5]))
      }
      try model.write(to: path)
      #expect(try Model(contentsOf: path) == model)
      let state = TrainingState(model: model, keepsAverage: true)
      try state.write(to: path)
      #expect(try TrainingState<Model>(contentsOf: path) == state)
      let counted = model.parameterNames.entries.reduce(0) { $0 + $1.count }
      #expect(counted == model.parameters.count)
    }
    for dimension in [1, 2, 5] {
      for model in DiscreteFixture.all(dimension: dimension) { try check(model) }
    }
    #expect(
      DiscreteFixture.coupling(dimension: 2).parameterNames.entries.map(\.name).prefix(8) == [
        "layers.0.net.0.weight", "layers.0.net.0.bias", "layers.0.net.2.weight", "layers.0.net.2.bias",
        "layers.0.net.4.weight", "layers.0.net.4.bias", "layers.1.net.0.weight", "layers.1.net.0.bias",
      ])
    #expect(
      AffineFlow(dimension: 3).parameterNames.entries.map(\.shape) == [[3], [3], [3], [3]])
  }

  @Test(arguments: [
    ("masks", "01"), ("masks", "0110;01"), ("masks", "111"), ("masks", ""), ("hidden", "0"), ("hidden", "8,x"),
    ("hidden", "9"), ("hidden", "99999999"), ("activation", "cosine"), ("scale_bound", "0"), ("scale_bound", "nan"),
    ("dimension", "1"), ("dimension", "4"), ("dimension", "9223372036854775807"), ("swift_cnf.version", "5"),
    ("swift_cnf.model", "affine"),
    ("transform.scale", "1,0,1"),
  ]) func metadataThatCannotBeMeantAreRefused(key: String, value: String) throws {
    let path = temporary.file("coupling.safetensors")
    try CouplingFlow(dimension: 3, depth: 2, hidden: [8]).write(to: path)
    #expect(throws: Never.self) { try CouplingFlow(contentsOf: path) }
    var file = try SafetensorsFile(path: path)
    file.metadata[key] = value
    try file.write(to: path)
    #expect(throws: (any Error).self) { try CouplingFlow(contentsOf: path) }
  }

  @Test func otherModelsAreNamed() throws {
    let path = temporary.file("model.safetensors")
    try AffineFlow(dimension: 2).write(to: path)
    func another(_ found: String, than expected: String) -> FlowFileError {
      .metadata(path: path, key: "swift_cnf.model", problem: "it is of a model '\(found)', not '\(expected)'")
    }
    #expect(throws: another("affine", than: "coupling")) {
      try CouplingFlow(contentsOf: path)
    }
    #expect(throws: another("affine", than: "flow")) { try ContinuousFlow(contentsOf: path) }
    var file = try SafetensorsFile(path: path)
    file.metadata["permutation"] = "0,0"
    try file.write(to: path)
    #expect(throws: FlowFileError.self) { try AffineFlow(contentsOf: path) }
    try TrainingFixture.flow.write(to: path)
    #expect(throws: another("flow", than: "linear")) {
      try LinearFlow(contentsOf: path)
    }
  }
}
