import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

enum ScoreMatchingFixture {
  static func model(_ process: DiffusionProcess, hidden: [Int] = [8]) -> DiffusionModel {
    DiffusionModel(
      process: process, dimension: 2, architecture: FieldArchitecture(hidden: hidden, activation: .silu), seed: 7,
      transform: .standardising(TrainingFixture.split.train.samples))
  }

  /// An untrained net, and the same net after some training steps on two distant clusters.
  static func trained(_ process: DiffusionProcess, steps: Int) throws -> (start: DiffusionModel, end: DiffusionModel) {
    let source = RandomSource(seed: 1, stream: .data)
    let points = SampleMatrix(
      count: 1000, dimension: 2,
      values: (0..<2000).map { index in
        let side: Double = index / 2 % 4 == 0 ? -2 : 1
        return side + 0.4 * source.normal(sample: UInt64(index / 2), dimension: index % 2)
      })
    let data = Dataset(name: "clusters", samples: points)
    var start = model(process, hidden: [32, 32])
    start.transform = .standardising(points)
    let options = TrainingOptions(
      steps: steps, batchSize: 256, learningRate: 1e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.98)
    let end = try Trainer(
      model: start, objective: ScoreMatching(model: start, options: options), training: data, options: options
    ).run().model
    return (start, end)
  }
}

@Suite struct ScoreMatchingTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private func batch(of count: Int, step: Int, _ transform: DataTransform) -> TrainingBatch {
    var batches = TrainingBatches(TrainingFixture.split.train, transform: transform, size: count, seed: 1)
    return batches.batch(step: step)
  }

  /// The samples of a batch are diffused data: `x = m x₀ + σ ε`, where the noise ε follows from the net's target. The
  /// weights make the weighted error that of the noise.
  @Test(arguments: DiffusionProcess.all, ScoreMatching.Weighting.allCases)
  func pointsAreDiffusedSamples(process: DiffusionProcess, weighting: ScoreMatching.Weighting) throws {
    let model = ScoreMatchingFixture.model(process)
    let objective = try ScoreMatching(
      model: model, weighting: weighting, options: TrainingFixture.options(steps: 1, backend: .c))
    let batch = batch(of: 100, step: 2, model.transform)
    let samples = objective.diffusedSamples(on: batch, model)
    let end = process.flowTime(at: DiffusionProcess.cutoff)
    var (sum, squares) = (0.0, 0.0)
    for sample in 0..<100 {
      let angle = process.flowTime(at: 0) - samples.times[sample] + DiffusionAngle(process, at: 0).angle
      let (c, d) = (cos(angle), sin(angle))
      #expect(samples.times[sample] >= 0 && samples.times[sample] <= end)
      #expect(abs(samples.weights[sample] - c * c) < 1e-12)
      for place in 2 * sample..<2 * sample + 2 {
        let (y, x, target) = (samples.states[place], batch.states[place], samples.targets[place])
        let noise = d * Double(y) - c * Double(target)
        #expect(abs(c * Double(x) + d * noise - Double(y)) < 8 * Double(Float.ulpOfOne) * max(1, abs(noise)))
        sum += noise
        squares += noise * noise
      }
    }
    // Four standard errors of the mean and of the variance of 200 standard normals.
    #expect(abs(sum / 200) < 4 / 200.0.squareRoot() && abs(squares / 200 - 1) < 4 * 0.01.squareRoot())
    let alone = TrainingBatch(
      states: Array(batch.states[10..<12]), logDeterminants: [0], identifiers: [batch.identifiers[5]],
      rows: [batch.rows[5]], seed: batch.seed, step: batch.step)
    let one = objective.diffusedSamples(on: alone, model)
    #expect(one.states == Array(samples.states[10..<12]) && one.times == [samples.times[5]])
  }

  /// With λ = σ², s is uniform; with λ = g², the log-ratio is. Shares of quarters agree within four standard errors.
  @Test(arguments: DiffusionProcess.all, ScoreMatching.Weighting.allCases)
  func timesHaveTheirDistribution(process: DiffusionProcess, weighting: ScoreMatching.Weighting) throws {
    let model = ScoreMatchingFixture.model(process)
    let objective = try ScoreMatching(
      model: model, weighting: weighting, options: TrainingFixture.options(steps: 1, backend: .c))
    let cutoff = DiffusionProcess.cutoff
    let times = (0..<10).flatMap {
      objective.diffusedSamples(on: batch(of: 120, step: $0, model.transform), model).times
    }
    for quarter in 1...3 {
      let share = Double(quarter) / 4
      let (low, high) = (process.logRatio(at: cutoff), process.logRatio(at: 1))
      let s =
        weighting == .noise ? cutoff + share * (1 - cutoff) : process.time(ofLogRatio: low + share * (high - low))
      let found = Double(times.count { $0 >= process.flowTime(at: s) }) / Double(times.count)
      #expect(
        abs(found - share) < 4 * (share * (1 - share) / Double(times.count)).squareRoot(),
        "\(process) \(weighting): \(found) below the quantile \(share)")
    }
  }

  /// Compares the objective's gradient with central differences of its own loss.
  @Test(arguments: Backend.allCases, ScoreMatching.Weighting.allCases)
  func theGradientIsThatOfTheLoss(backend: Backend, weighting: ScoreMatching.Weighting) throws {
    var model = ScoreMatchingFixture.model(.variancePreserving())
    let objective = try ScoreMatching(
      model: model, weighting: weighting, options: TrainingFixture.options(steps: 1, backend: backend))
    let batch = batch(of: 32, step: 3, model.transform)
    let gradient = try objective.gradient(of: batch, model: model)
    let h: Float = 1e-2
    for index in stride(from: 0, to: model.parameters.count, by: 7) {
      let value = model.parameters[index]
      model.parameters[index] = value + h
      let above = try objective.gradient(of: batch, model: model).loss
      model.parameters[index] = value - h
      let below = try objective.gradient(of: batch, model: model).loss
      model.parameters[index] = value
      let difference = (above - below) / Double(2 * h)
      // The error is h² times a third derivative of about 10, plus the rounding of a float loss over h.
      #expect(abs(Double(gradient.parameters[index]) - difference) < 2e-3, "\(index): \(difference)")
    }
  }

  /// The data are N(2, ½²) and the base is N(0, 1). The NLL reaches the entropy, up to sampling error and the error of
  /// a short run.
  @Test(arguments: DiffusionProcess.all, ScoreMatching.Weighting.allCases)
  func aGaussianIsLearned(process: DiffusionProcess, weighting: ScoreMatching.Weighting) throws {
    let source = RandomSource(seed: 1, stream: .data)
    let points = SampleMatrix(
      count: 2000, dimension: 1,
      values: (0..<2000).map { 2 + 0.5 * source.normal(sample: UInt64($0), dimension: 0) })
    let split = try Dataset(name: "normal", samples: points).split(.counts(validation: 200, test: 500))
    let model = DiffusionModel(
      process: process, dimension: 1, architecture: FieldArchitecture(hidden: [32, 32], activation: .tanh), seed: 0,
      transform: .standardising(split.train.samples))
    let options = TrainingOptions(
      steps: 600, batchSize: 256, learningRate: 5e-3, averageDecay: 0.98, validationInterval: 600)
    let objective = try ScoreMatching(model: model, weighting: weighting, options: options)
    let trained = try Trainer(model: model, objective: objective, training: split.train, options: options).run().model
    let result = try objective.evaluate(trained, on: split.test, seed: 0)
    let entropy = 0.5 * log(2 * Double.pi * Double(M_E) * 0.25)
    #expect(
      abs(result.nllNats - entropy) < 3 * result.nllStandardError + 0.05,
      "\(process) \(weighting): \(result.nllNats), \(entropy)")
    #expect(result.failed == 0)
  }

  private func trainer(_ options: TrainingOptions, folder: RunFolder? = nil) throws -> Trainer<DiffusionModel> {
    let model = ScoreMatchingFixture.model(.subVariancePreserving())
    return try Trainer(
      model: model, objective: ScoreMatching(model: model, options: options), training: TrainingFixture.split.train,
      validation: TrainingFixture.split.validation, options: options, folder: folder)
  }

  /// The run has the same bits with one thread and with three, and in two halves with a file in between.
  @Test(arguments: Backend.allCases)
  func runsAreTheSameBits(backend: Backend) throws {
    let options = TrainingFixture.options(steps: 24, backend: backend, threads: 1)
    let whole = try trainer(options)
    _ = try whole.run()
    let threaded = try trainer(TrainingFixture.options(steps: 24, backend: backend, threads: 3))
    _ = try threaded.run()
    #expect(whole.state.withoutClock == threaded.state.withoutClock)

    let folder = try RunFolder.create(at: temporary.file("run"))
    let first = try trainer(options, folder: folder)
    _ = try first.run(shouldStop: { first.state.step == 11 })
    let state = try TrainingState<DiffusionModel>(contentsOf: folder.checkpointPath)
    #expect(state == first.state)
    let second = try Trainer(
      state: state, objective: ScoreMatching(model: state.model, options: options),
      training: TrainingFixture.split.train, validation: TrainingFixture.split.validation, options: options,
      folder: folder)
    _ = try second.run()
    #expect(second.state.withoutClock == whole.state.withoutClock)
  }

  @Test(arguments: DiffusionProcess.all)
  func aFileHoldsTheModel(process: DiffusionProcess) throws {
    let model = ScoreMatchingFixture.model(process)
    let path = temporary.file("model.safetensors")
    try model.write(to: path)
    #expect(try DiffusionModel(contentsOf: path) == model)
    // The file is not read as a flow, though its field would fit, and a flow's file is not read as a diffusion model.
    func refused(_ path: String, _ problem: String) -> FlowFileError {
      .metadata(path: path, key: "swift_cnf.model", problem: problem)
    }
    #expect(throws: refused(path, "it is of a model 'diffusion', not 'flow'")) { try ContinuousFlow(contentsOf: path) }
    let flowPath = temporary.file("flow.safetensors")
    try model.probabilityFlow.write(to: flowPath)
    #expect(try ContinuousFlow(contentsOf: flowPath) == model.probabilityFlow)
    #expect(throws: refused(flowPath, "it is of a model 'flow', not 'diffusion'")) {
      try DiffusionModel(contentsOf: flowPath)
    }
  }

  /// A file with an unknown or impossible process is refused.
  @Test(arguments: [("process", "vq"), ("process.start", "-1"), ("process.end", "nan"), ("process.end", "x")])
  func alteredProcessesAreRefused(key: String, value: String) throws {
    let model = ScoreMatchingFixture.model(.variancePreserving())
    var metadata = try model.metadata(kind: "flow")
    metadata[key] = value
    let path = temporary.file("model.safetensors")
    try SafetensorsFile(tensors: model.parameterNames.tensors(model.parameters), metadata: metadata).write(to: path)
    #expect(throws: FlowFileError.self) { try DiffusionModel(contentsOf: path) }
  }

  @Test func whatIsOfSolvesIsRefused() {
    let model = ScoreMatchingFixture.model(.variancePreserving())
    var options = TrainingFixture.options(
      steps: 1, backend: .c, regularisation: Regularisation(kineticEnergy: 0.1, frobeniusNorm: 0))
    #expect(throws: TrainingError.self) { try ScoreMatching(model: model, options: options) }
    options.regularisation = .none
    options.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) { try ScoreMatching(model: model, options: options) }
    options.endTimeJitter = 0
    #expect(throws: Never.self) { try ScoreMatching(model: model, options: options) }
  }
}
