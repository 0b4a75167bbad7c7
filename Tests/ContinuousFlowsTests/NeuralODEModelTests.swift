import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// Tests models with a neural ODE inside: their files, runs that are stopped and resumed, and their outputs.
@Suite struct NeuralODEModelTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  @Test func parametersAreNamedAsInPyTorch() {
    #expect(
      LayersFixture.regression.parameterNames.entries.map(\.name) == [
        "net.0.weight", "net.0.bias", "net.3.weight", "net.3.bias", "head.0.weight", "head.0.bias", "head.2.weight",
        "head.2.bias",
      ])
    let names = LayersFixture.classifier.parameterNames
    #expect(names.entries.prefix(2).map(\.name) == ["encoder.0.weight", "encoder.0.bias"])
    let last = names.entries.last
    #expect(last?.shape == [2] && last?.offset == LayersFixture.classifier.parameters.count - 2)
  }

  @Test(arguments: 0..<3)
  func aFileGivesTheModelBack(number: Int) throws {
    let model = LayersFixture.models[number]
    let path = temporary.file("model.safetensors")
    try model.write(to: path)
    #expect(try NeuralODEModel(contentsOf: path) == model)
    #expect(throws: FlowFileError.self) { try ContinuousFlow(contentsOf: path) }
    #expect(throws: FlowFileError.wrongKind(path: path, found: "flow", expected: "training state")) {
      try TrainingState<NeuralODEModel>(contentsOf: path)
    }
    var other = model
    other.parameters = other.parameters.map { _ in 0 }
    try other.readParameters(from: path)
    #expect(other == model)
    try TrainingFixture.flow.write(to: path)
    #expect(throws: FlowFileError.self) { try NeuralODEModel(contentsOf: path) }
  }

  /// Damages every key of the metadata in turn. Each gives an error and never a crash.
  @Test func aDescriptionThatDoesNotFitIsRefused() throws {
    let model = LayersFixture.regression
    let path = temporary.file("model.safetensors")
    let metadata = try model.metadata(kind: FlowMetadata.flowKind)
    let values = ["", "-1", "nan", "99999999999999999999", "4096,x", "linear 0 1 tanh", "1"]
    for key in metadata.keys {
      for value in values where metadata[key] != value {
        var altered = metadata
        altered[key] = value
        try SafetensorsFile(tensors: model.parameterNames.tensors(model.parameters), metadata: altered).write(to: path)
        if let read = try? NeuralODEModel(contentsOf: path) {
          // Another time is valid too, and an encoder has no widths in any case.
          #expect(["start_time", "end_time"].contains(key), "\(key) = '\(value)'")
          #expect(read.parameters.count == read.architecture.parameterCount)
        }
      }
    }
  }

  @Test(arguments: 0..<3, Backend.allCases)
  func sixtyStepsAreThirtyAStopAndThirty(number: Int, backend: Backend) throws {
    let model = LayersFixture.models[number]
    let options = LayersFixture.options(steps: 60, backend: backend)
    let atOnce = try LayersFixture.trainer(model, options)
    let expected = try atOnce.run()

    let folder = try RunFolder.create(at: temporary.file("run"))
    let first = try LayersFixture.trainer(model, options, folder: folder)
    _ = try first.run(shouldStop: { first.state.step == 33 })
    let state = try TrainingState<NeuralODEModel>(contentsOf: folder.checkpointPath)
    #expect(state == first.state)
    let second = try Trainer(
      state: state, objective: LayersFixture.objective(state.model, options), training: LayersFixture.split.train,
      validation: LayersFixture.split.validation, options: options, folder: folder)
    let result = try second.run()
    #expect(second.state.withoutClock == atOnce.state.withoutClock)
    #expect(result.model == expected.model && result.bestStep == expected.bestStep)
    #expect(try NeuralODEModel(contentsOf: folder.bestPath) == expected.model)
    let validation = try #require(second.state.best)
    #expect((validation.accuracy != nil) == (model.task == .classification))
    #expect((validation.meanSquaredError != nil) == (model.task != .classification))
  }

  @Test(arguments: 0..<3)
  func threadsDoNotMatter(number: Int) throws {
    let one = try LayersFixture.trainer(LayersFixture.models[number], LayersFixture.options(steps: 10, threads: 1))
    let three = try LayersFixture.trainer(LayersFixture.models[number], LayersFixture.options(steps: 10, threads: 3))
    _ = try one.run()
    _ = try three.run()
    #expect(one.state.withoutClock == three.state.withoutClock)
  }

  /// The two backends are independent programs. Their first gradients agree up to rounding.
  @Test(arguments: 0..<3)
  func backendsAgree(number: Int) throws {
    let model = LayersFixture.models[number]
    func gradient(_ backend: Backend) throws -> BatchGradient {
      let options = LayersFixture.options(steps: 1, backend: backend)
      var fixed = options
      fixed.solver = SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .none)
      var batches = TrainingBatches(
        LayersFixture.split.train, transform: model.transform, size: 32, seed: 3)
      return try LayersFixture.objective(model, fixed).gradient(of: batches.batch(step: 0), model: model)
    }
    let (c, swift) = (try gradient(.c), try gradient(.swift))
    let size = c.parameters.reduce(Float(0)) { max($0, abs($1)) }
    for (first, second) in zip(c.parameters, swift.parameters) {
      // The bound covers 16 evaluations of nets of width 8, and sums over 32 samples.
      #expect(abs(first - second) < 200 * size * Float.ulpOfOne)
    }
  }

  @Test func evaluationIsWhatPredictionsSay() throws {
    let test = LayersFixture.split.test
    let labels = try #require(test.labels)
    let model = LayersFixture.classifier
    let predictions = try model.predictions(for: test.samples)
    let result = try model.evaluate(on: test)
    let right = labels.indices.count { predictions.classes[$0] == Int(labels[$0]) }
    #expect(result.accuracy == Double(right) / Double(test.count) && result.count == test.count && result.failed == 0)
    var entropy = 0.0
    for sample in labels.indices {
      let probabilities = predictions.probabilities[sample]
      #expect(abs(probabilities.reduce(0, +) - 1) < 4 * Double.ulpOfOne)
      let own = probabilities[sample * 2 + Int(labels[sample])]
      entropy -= log(own) / Double(labels.count)
    }
    // A probability and its logarithm are rounded, and the sum.
    #expect(abs(result.nllNats - entropy) < 1e-13)

    let regression = LayersFixture.regression
    let targets = try #require(test.targets)
    let outputs = try regression.predictions(for: test.samples).outputs
    let found = try regression.evaluate(on: test)
    let errors = outputs.values.indices.map { Double(outputs.values[$0]) - Double(targets.values[$0]) }
    let mean = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(abs((found.meanSquaredError ?? .nan) - mean) < 1e-12 * mean)
    // The density is that of a normal distribution with the deviations of the targets.
    guard case .regression(let transform) = regression.task else { return }
    var density = 0.0
    for (index, error) in errors.enumerated() {
      let scale = Double(transform.scale[index % 2])
      let standard = error / scale
      density += standard * standard / 2 + log(scale) + log(2 * Double.pi) / 2
    }
    density /= Double(targets.count)
    #expect(abs(found.nllNats - density) < 1e-12 * density)
  }

  @Test func aResidualNetworkIsItsOwnSteps() throws {
    let model = LayersFixture.residual
    let points = LayersFixture.split.test.samples
    let network = try ResidualNetwork<Float>(
      program: model.architecture.program, parameters: Array(model.parameters[model.architecture.fieldRange]), steps: 3)
    let states = try network(model.transform.forward(points.values))
    let head = Array(model.parameters[model.architecture.headRange])
    let predictions = try model.predictions(for: points)
    for sample in 0..<points.count {
      for row in 0..<2 {
        let first: Float = head[2 * row] * states[2 * sample]
        let expected: Float = head[4 + row] + first + head[2 * row + 1] * states[2 * sample + 1]
        #expect(abs(Float(predictions.outputs.values[2 * sample + row]) - expected) < 32 * 4 * Float.ulpOfOne)
      }
    }
    #expect(predictions.evaluations.allSatisfy { $0 == 3 })
  }

  @Test func whatDoesNotFitIsAnErrorThatSaysSo() throws {
    let options = LayersFixture.options(steps: 1)
    let train = LayersFixture.split.train
    let bare = Dataset(name: "bare", samples: train.samples)
    #expect(throws: DataError.noLabels(source: "bare")) {
      try CrossEntropy(model: LayersFixture.classifier, training: bare, options: options)
    }
    #expect(throws: DataError.noTargets(source: "bare")) {
      try SquaredError(model: LayersFixture.regression, training: bare, options: options)
    }
    let strange = Dataset(
      name: "strange", samples: train.samples, labels: (0..<train.count).map { $0 == 7 ? 2 : 1 })
    #expect(throws: DataError.labelOutOfRange(source: "strange", row: 7, label: 2, classes: 2)) {
      try CrossEntropy(model: LayersFixture.classifier, training: strange, options: options)
    }
    let narrow = Dataset(
      name: "narrow", samples: train.samples,
      targets: SampleMatrix(count: train.count, dimension: 1, values: Array(repeating: 0, count: train.count)))
    #expect(throws: DataError.targetColumns(source: "narrow", columns: 1, expected: 2)) {
      try SquaredError(model: LayersFixture.regression, training: narrow, options: options)
    }
    var penal = options
    penal.regularisation = Regularisation(kineticEnergy: 0.1, frobeniusNorm: 0)
    #expect(throws: TrainingError.self) { try LayersFixture.objective(LayersFixture.classifier, penal) }
    var steered = options
    steered.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) { try LayersFixture.objective(LayersFixture.classifier, steered) }
  }

  @Test func aFieldByClosureTrainsButHasNoFile() throws {
    let decay = FieldCallback(
      name: "decay", parameterCount: 1,
      float: .init(
        evaluate: { _, _, x, parameters, y in for index in 0..<x.count { y[index] = -parameters[0] * x[index] } },
        reverse: { _, _, x, parameters, yBar, xBar, _, parametersBar in
          for index in 0..<x.count {
            xBar[index] = -parameters[0] * yBar[index]
            parametersBar[0] -= x[index] * yBar[index]
          }
        }))
    var program = FieldProgram(stateDimension: 3)
    program.append(.callback(input: .state, rows: 3, decay))
    let architecture = NeuralODEArchitecture(
      encoder: DenseNetwork(inputDimension: 2, widths: [3], activation: .tanh), program: program,
      head: DenseNetwork(inputDimension: 3, widths: [2]))
    let model = NeuralODEModel(
      architecture: architecture, task: .classification, parameters: architecture.initialParameters(seed: 1))
    let trainer = try LayersFixture.trainer(model, LayersFixture.options(steps: 30))
    let before = try model.evaluate(on: LayersFixture.split.train).nllNats
    let after = try trainer.run().model.evaluate(on: LayersFixture.split.train).nllNats
    #expect(after < before)
    #expect(trainer.state.model.parameters[architecture.fieldRange] != model.parameters[architecture.fieldRange])
    #expect(throws: FlowFileError.self) { try model.write(to: temporary.file("closure.safetensors")) }
  }
}
