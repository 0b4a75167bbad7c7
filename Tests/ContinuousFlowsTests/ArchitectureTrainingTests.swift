import ContinuousFlows
import Foundation
import Testing

/// Every architecture learns a density in a short run: its held-out NLL is better than that of the untrained net and
/// that of the Gaussian of full covariance that fits the training data best.
@Suite struct ArchitectureTrainingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let program: FieldProgram
    /// Activations that saturate, or are nearly linear near 0, need more steps.
    let steps: Int
    /// The number of rk4 steps in a training solve. Time features change faster than other inputs and need more.
    let solverSteps: Int
    var testDescription: String { name }

    init(_ name: String, _ program: FieldProgram, steps: Int = 200, solverSteps: Int = 4) {
      self.name = name
      self.program = program
      self.steps = steps
      self.solverSteps = solverSteps
    }

    init(_ name: String, steps: Int = 200, solverSteps: Int = 4, _ change: (inout FieldArchitecture) -> Void) {
      var architecture = FieldArchitecture(hidden: [16, 16], activation: .tanh)
      change(&architecture)
      self.init(name, architecture.program(stateDimension: 2), steps: steps, solverSteps: solverSteps)
    }
  }

  static let cases: [Case] = {
    var cases = TimeLayer.allCases.map { layer in Case("\(layer) layers") { $0.layer = layer } }
    // The cases above cover tanh; identity and ReLU have tests of their own.
    cases += Activation.allCases.filter { ![.identity, .tanh, .relu].contains($0) }.map { activation in
      Case("\(activation)", steps: [.sigmoid, .softplus].contains(activation) ? 400 : 200) {
        $0.activation = activation
      }
    }
    return cases + [
      Case("hyper layers by a net") {
        $0.layer = .hyper
        $0.hyperUnits = 3
      },
      Case("Fourier features", solverSteps: 8) { $0.timeFeatures = 3 },
      Case("residual") { $0.isResidual = true },
      Case("layer norm") { $0.hasLayerNorm = true },
      Case("dropout") { $0.dropout = 0.05 },
      Case("all of them", steps: 500, solverSteps: 10) {
        $0 = FieldArchitecture(
          hidden: [16, 16], activation: .silu, layer: .concatsquash, timeFeatures: 2, isResidual: true,
          hasLayerNorm: true, dropout: 0.05)
      },
      Case("a closure's field", closureField),
    ]
  }()

  private static let split: DatasetSplit = {
    let data = GeneratedDataset.pinwheel.dataset(count: 2_500, seed: 0)
    guard let split = try? data.split(.counts(validation: 250, test: 500)) else { preconditionFailure("no split") }
    return split
  }()

  private static let options = TrainingOptions(
    steps: 200, batchSize: 128, learningRate: 2e-2, schedule: LearningRateSchedule(.cosine()), averageDecay: 0.95,
    validationInterval: 100,
    solver: SolverOptions(method: "rk4", control: .fixed(steps: 4)),
    evaluationSolver: SolverOptions(control: .perSample(rtol: 1e-4, atol: 1e-4)))

  /// A net's NLL must be lower than the Gaussian's by this many nats. The cases gain 0.65 to 1.0; ReLU gains least.
  private static let margin = 0.4
  /// A mean must exceed 0 by this many of its standard errors. A normal deviate beyond them has probability 3e-7.
  private static let standardErrors = 5.0

  @Test(arguments: cases) func learns(test: Case) throws {
    let flow = Self.flow(test.program)
    var options = Self.options
    options.steps = test.steps
    options.solver.control = .fixed(steps: test.solverSteps)
    let trained = try Trainer(
      flow: flow, training: Self.split.train, validation: Self.split.validation, options: options
    ).run().flow
    try Self.expectLearned(test.name, from: flow, to: trained)
  }

  /// ReLU learns by flow matching. By maximum likelihood it only reaches the Gaussian, because the divergence of its
  /// field is piecewise constant: the kinks between the pieces, which make a density non-Gaussian, do not enter the
  /// gradient of a solve.
  @Test func reluLearnsByFlowMatching() throws {
    let flow = Self.flow(FieldArchitecture(hidden: [16, 16], activation: .relu).program(stateDimension: 2))
    var options = Self.options
    options.steps = 800
    options.learningRate = 1e-2
    let objective = try FlowMatching(flow: flow, coupling: .optimalTransport, options: options)
    let trained = try Trainer(
      model: flow, objective: objective, training: Self.split.train, validation: Self.split.validation,
      options: options
    ).run().model
    try Self.expectLearned("relu", from: flow, to: trained)
  }

  /// PureSwift calls the same closure, and the model learns with it too.
  @Test func aClosureLearnsBySwiftAlone() throws {
    let flow = Self.flow(Self.closureField)
    var options = Self.options
    options.backend = .swift
    let trained = try Trainer(
      flow: flow, training: Self.split.train, validation: Self.split.validation, options: options
    ).run().flow
    try Self.expectLearned("a closure's field, Swift alone", from: flow, to: trained)
  }

  @Test func twoBlocksLearn() throws {
    let stacked = StackedFlow(
      dimension: 2, blocks: 2, architecture: FieldArchitecture(hidden: [16, 16], activation: .tanh), endTime: 0.5,
      seed: 1, transform: .standardising(Self.split.train.samples))
    let trained = try Trainer(
      model: stacked, objective: StackedLikelihood(model: stacked, options: Self.options), training: Self.split.train,
      validation: Self.split.validation, options: Self.options
    ).run().model
    try Self.expectLearned("two blocks", from: stacked, to: trained)
  }

  /// Without a nonlinearity the field is affine and the density Gaussian, so the flow learns exactly the best Gaussian.
  @Test func identityLearnsTheGaussian() throws {
    let program = FieldArchitecture(hidden: [16, 16], activation: .identity).program(stateDimension: 2)
    let trained = try Trainer(
      flow: Self.flow(program), training: Self.split.train, validation: Self.split.validation, options: Self.options
    ).run().flow
    let points = Self.split.train.samples
    let found = try Self.logDensities(trained, points).reduce(0, +) / Double(points.count)
    let best = GaussianBaseline(fitting: points).meanLogDensity(of: points)
    // The upper bound is rounding and the evaluation's tolerance, times a few steps. The lower bound is the gap that
    // training leaves.
    #expect(found < best + 1e-3 && found > best - 0.02, "\(found), the best Gaussian \(best)")
  }

  // MARK: What they share

  /// An untrained field close to 0. Hidden weights are twice PyTorch's, so that data of deviation 1 reach the curved
  /// part of sigmoids; a short run could not learn to reach it.
  private static func flow(_ program: FieldProgram) -> ContinuousFlow {
    var parameters = InitialParameters.uniform(for: program, seed: 1, lastLayerScale: 0.05)
    for layout in program.linearLayouts where !program.isFourierFeatures(layout.operation) {
      for index in layout.weightOffset..<layout.biasOffset + layout.rows { parameters[index] *= 2 }
    }
    return ContinuousFlow(
      program: program, parameters: parameters, transform: .standardising(split.train.samples))
  }

  private static func logDensities(_ model: some DensityModel, _ samples: SampleMatrix) throws -> [Double] {
    let found = try model.logDensities(
      of: samples, options: options.evaluationSolver, backend: .c, seed: 0, identifiers: nil, context: nil)
    #expect(found.failed == 0)
    return found.values
  }

  /// Subtracts sample by sample: the mean of the differences is more certain than the difference of the means.
  private static func expectLearned<Model: DensityModel>(_ name: String, from model: Model, to trained: Model) throws {
    let points = split.test.samples
    let found = try logDensities(trained, points)
    let gaussian = GaussianBaseline(fitting: split.train.samples).logDensities(of: points)
    let gain = gain(of: found, over: gaussian)
    let fromBeginning = Self.gain(of: found, over: try logDensities(model, points))
    print(
      "\(name): \(found.reduce(0, +) / Double(found.count)) nats held out, \(gain.mean) ± \(gain.standardError) over the "
        + "Gaussian, \(fromBeginning.mean) ± \(fromBeginning.standardError) over the untrained net")
    for gain in [gain, fromBeginning] {
      #expect(gain.mean > margin && gain.mean > standardErrors * gain.standardError, "\(name): \(gain)")
    }
  }

  private static func gain(of found: [Double], over other: [Double]) -> (mean: Double, standardError: Double) {
    let differences = zip(found, other).map { $0 - $1 }
    let count = Double(differences.count)
    let mean = differences.reduce(0, +) / count
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    return (mean, (variance / count).squareRoot())
  }

  /// `arctan`, which is not one of the library's activations, between linear layers.
  private static let arctangent = FieldCallback(
    name: "arctan",
    float: .init(
      evaluate: { _, _, x, _, y in for i in 0..<x.count { y[i] = atan(x[i]) } },
      tangent: { _, _, x, _, xDot, yDot in for i in 0..<x.count { yDot[i] = xDot[i] / (1 + x[i] * x[i]) } },
      reverse: { _, _, x, _, yBar, xBar, _, _ in for i in 0..<x.count { xBar[i] = yBar[i] / (1 + x[i] * x[i]) } },
      tangentReverse: { _, _, x, _, xDot, yDotBar, xBar, xDotBar, _, _ in
        for i in 0..<x.count {
          let slope = 1 / (1 + x[i] * x[i])
          xDotBar[i] = slope * yDotBar[i]
          xBar[i] = -2 * x[i] * slope * slope * xDot[i] * yDotBar[i]
        }
      }))

  private static let closureField: FieldProgram = {
    var program = FieldProgram(stateDimension: 2)
    var block = program.append(.concatenate(.state, program.append(.time)))
    for _ in 0..<2 {
      block = program.append(.linear(input: block, rows: 16, activation: .identity))
      block = program.append(.callback(input: block, rows: 16, arctangent))
    }
    program.append(.linear(input: block, rows: 2, activation: .identity))
    return program
  }()
}
