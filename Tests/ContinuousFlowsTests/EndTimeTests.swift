import Foundation
import Testing

@testable import ContinuousFlows

/// Tests end times of solves: random ones in training (STEER), and trained ones.
@Suite struct EndTimeTests {
  /// x′ = x maps N(0, 1) to N(0, e²ᵀ).
  private static func exponential(endTime: Double) -> ContinuousFlow {
    var program = FieldProgram(stateDimension: 1)
    program.append(.scale(input: .state, by: 1))
    return ContinuousFlow(program: program, parameters: [], endTime: endTime)
  }

  private static let doubled: Dataset = {
    let source = RandomSource(seed: 2, stream: .data)
    return Dataset(
      name: "doubled",
      samples: SampleMatrix(
        count: 256, dimension: 1, values: (0..<256).map { 2 * source.normal(sample: UInt64($0), dimension: 0) }))
  }()

  /// T is the only trained parameter. The likelihood of N(0, e²ᵀ) is largest where e²ᵀ is the mean square of the
  /// samples. The bound is Adam's error: its learning rate falls to 0, and it ends within 1e-3. The h⁵ of equal rk4
  /// steps is far smaller.
  @Test(arguments: [Backend.c, .swift])
  func theEndTimeIsTrainedToItsOptimum(backend: Backend) throws {
    let options = TrainingOptions(
      steps: 200, batchSize: 256, learningRate: 0.05, schedule: LearningRateSchedule(.cosine()),
      adam: Adam(weightDecay: .decoupled(0.5)), averageDecay: nil, seed: 1,
      solver: SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exact), backend: backend)
    let model = TimedFlow(Self.exponential(endTime: 0.2))
    let trainer = try Trainer(
      model: model, objective: TimedLikelihood(flow: model, options: options), training: Self.doubled, options: options)
    let trained = try trainer.run().model
    let meanSquare = Self.doubled.samples.values.reduce(0.0) { $0 + Double($1) * Double($1) } / 256
    #expect(abs(trained.flow.endTime - 0.5 * log(meanSquare)) < 1e-3)
  }

  /// For a flow of any field, compares the last component of the gradient with central differences of the loss by log
  /// T, both in float. The error is the loss's rounding over the step, about 1e-6 / 1e-2, plus the difference's h².
  @Test func gradientIsTheDerivativeByTheLogarithm() throws {
    let options = TrainingOptions(
      steps: 1, seed: 3, solver: SolverOptions(method: "dopri5", control: .fixed(steps: 6), trace: .exact))
    var model = TimedFlow(TrainingFixture.flow)
    for index in model.flow.parameters.indices { model.flow.parameters[index] *= 3 }
    let objective = try TimedLikelihood(flow: model, options: options)
    let batch = Self.batch(of: 64, step: 0)
    func loss(_ shift: Double) throws -> Double {
      var moved = model
      moved.flow.endTime = model.flow.endTime * exp(shift)
      return try objective.gradient(of: batch, model: moved).loss
    }
    let gradient = try objective.gradient(of: batch, model: model).parameters
    #expect(gradient.count == model.parameters.count)
    let step = 1e-2
    let difference = try (loss(step) - loss(-step)) / (2 * step)
    #expect(abs(Double(gradient[gradient.count - 1]) - difference) < 1e-3 * max(1, abs(difference)))
    #expect(abs(difference) > 1e-2)
  }

  @Test func filesKeepTheTrainedTime() throws {
    let folder = try TemporaryFolder()
    var model = TimedFlow(TrainingFixture.flow)
    model.parameters[model.parameters.count - 1] = 0.25
    let path = folder.file("timed.safetensors")
    try model.write(to: path)
    #expect(try TimedFlow(contentsOf: path) == model)
    #expect(model.flow.endTime == exp(0.25))
    #expect(throws: FlowFileError.self) { try ContinuousFlow(contentsOf: path) }
    try TrainingFixture.flow.write(to: path)
    #expect(throws: FlowFileError.self) { try TimedFlow(contentsOf: path) }
  }

  /// Weight decay does not change parameters that are not weights. Weights decay as before.
  @Test func weightDecayLeavesTheTimeAlone() {
    for decay in [WeightDecay.penalty(0.5), .decoupled(0.5)] {
      var (some, all): ([Float], [Float]) = ([1, 2, 3], [1, 2, 3])
      var (someMoments, allMoments) = (AdamMoments(parameterCount: 3), AdamMoments(parameterCount: 3))
      let adam = Adam(weightDecay: decay)
      adam.update(&some, gradient: [0, 0, 0], moments: &someMoments, step: 0, learningRate: 0.1, undecayed: 2..<3)
      adam.update(&all, gradient: [0, 0, 0], moments: &allMoments, step: 0, learningRate: 0.1)
      #expect(some[..<2] == all[..<2])
      #expect(some[2] == 3 && all[2] < 3)
    }
  }

  private static func batch(of size: Int, step: Int) -> TrainingBatch {
    var batches = TrainingBatches(
      TrainingFixture.split.train, transform: TrainingFixture.flow.transform, size: size, seed: 11)
    return batches.batch(step: step)
  }

  // MARK: - STEER

  /// The ends lie in the interval, on both sides of 0. Each step has one end, and the same seed gives the same ends.
  @Test func steerDrawsAnEndForEachStep() throws {
    var options = TrainingFixture.options(steps: 1, backend: .c)
    options.endTimeJitter = 0.3
    let objective = try MaximumLikelihood(flow: TrainingFixture.flow, options: options)
    let ends = (0..<200).map { objective.end(of: Self.batch(of: 4, step: $0)) }
    #expect(ends.allSatisfy { abs($0) <= 0.3 } && Set(ends).count == 200)
    let mean = ends.reduce(0, +) / 200
    // Four standard errors of 200 uniform draws.
    let bound = 4 * 0.3 / (3.0 * 200.0).squareRoot()
    #expect(abs(mean) < bound)
  }

  /// The gradient equals that of a solve to the drawn end.
  @Test func steerSolvesToTheDrawnEnd() throws {
    var options = TrainingFixture.options(steps: 1, backend: .c)
    options.endTimeJitter = 0.3
    let flow = TrainingFixture.flow
    let objective = try MaximumLikelihood(flow: flow, options: options)
    let batch = Self.batch(of: 32, step: 4)
    let solver = try makeSolver(
      program: flow.program, options: options.solver, backend: .c, scalar: Float.self)
    let expected = try solver.gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1 / 32.0),
      at: SolveProblem(
        parameters: flow.parameters, states: batch.states, from: flow.endTime, to: objective.end(of: batch),
        seed: batch.seed, step: UInt64(batch.step), sampleIdentifiers: batch.identifiers))
    #expect(try objective.gradient(of: batch, model: flow).parameters == expected.parameters)
  }

  @Test(arguments: [-0.1, 0.5, .infinity, .nan])
  func steerBeyondTheFlowIsRefused(jitter: Double) {
    var options = TrainingFixture.options(steps: 1, backend: .c)
    options.endTimeJitter = jitter
    #expect(throws: TrainingError.self) { try MaximumLikelihood(flow: TrainingFixture.flow, options: options) }
    options.endTimeJitter = 0.1
    #expect(throws: TrainingError.self) { try FlowMatching(flow: TrainingFixture.flow, options: options) }
  }
}
