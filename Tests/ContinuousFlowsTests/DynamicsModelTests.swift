import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// Tests fields that are learned from their values, and the files of models whose fields are gradients.
@Suite struct DynamicsModelTests {
  /// An oscillator: dq/dt = p, dp/dt = −q, at 200 places.
  private static let oscillator: Dataset = {
    let source = RandomSource(seed: 8, stream: .data, step: 1)
    let rows = (0..<200).flatMap { sample -> [Double] in
      let q = source.normal(sample: UInt64(sample), dimension: 0)
      let p = source.normal(sample: UInt64(sample), dimension: 1)
      return [q, p, p, -q]
    }
    return Dataset(name: "oscillator", samples: SampleMatrix(count: 200, dimension: 4, values: rows))
  }()

  private static func model(_ architecture: HamiltonianArchitecture = .init(hidden: [16, 16])) throws -> DynamicsModel {
    DynamicsModel(
      program: try architecture.program(stateDimension: 2),
      parameters: architecture.initialParameters(stateDimension: 2, seed: 1, lastLayerScale: 1))
  }

  @Test func energiesAreLearnedFromRates() throws {
    let model = try Self.model()
    func train(_ threads: Int) throws -> TrainingResult<DynamicsModel> {
      let options = TrainingOptions(
        steps: 300, batchSize: 100, learningRate: 1e-2, averageDecay: nil, solver: SolverOptions(threads: threads))
      return try Trainer(
        model: model, objective: DerivativeRegression(model: model, options: options), training: Self.oscillator,
        validation: Self.oscillator, options: options
      ).run()
    }
    let result = try train(1)
    #expect(try train(3).model == result.model)
    let objective = try DerivativeRegression(model: model, options: TrainingOptions(steps: 1))
    let (before, after) = (
      try objective.evaluate(model, on: Self.oscillator, seed: 0).nllNats,
      try objective.evaluate(result.model, on: Self.oscillator, seed: 0).nllNats
    )
    // At first the targets' variance is 1, and half of it is the loss.
    #expect(before > 0.1 && after < 0.01 * before, "\(before), then \(after)")
    // Along one turn of the oscillator, the solve keeps the learned energy to its tolerance.
    let equation = result.model.equation()
    let end = try equation(StateMatrix(count: 1, dimension: 2, values: [1, 0]), from: 0, to: 2 * .pi).values
    #expect(abs(end[0] - 1) < 0.3 && abs(end[1]) < 0.5)
  }

  @Test func theLossIsTheMeanSquare() throws {
    let model = try Self.model()
    let objective = try DerivativeRegression(model: model, options: TrainingOptions(steps: 1))
    let solver = try makeSolver(program: model.program, options: SolverOptions(trace: .none), scalar: Float.self)
    let points = Self.oscillator.samples.values.map { Float($0) }
    let states = stride(from: 0, to: points.count, by: 4).flatMap { points[$0..<$0 + 2] }
    let rates = stride(from: 2, to: points.count, by: 4).flatMap { points[$0..<$0 + 2] }
    let velocities = try solver.evaluate(
      SolveProblem(parameters: model.parameters, states: states, from: 0, to: 1)
    ).velocities
    let squares = zip(velocities, rates).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let found = try objective.evaluate(model, on: Self.oscillator, seed: 0).nllNats
    // A sum of 400 squares in double, of numbers that are the same floats.
    #expect(abs(found - squares / 800) < 1e-12)
  }

  // MARK: Files

  private let folder = try! TemporaryFolder()

  @Test func modelsComeBackTheSame() throws {
    let path = folder.file("model.safetensors")
    let dynamics = try Self.model(HamiltonianArchitecture(hidden: [5, 4], activation: .sin, isSeparable: true))
    try dynamics.write(to: path)
    #expect(try DynamicsModel(contentsOf: path) == dynamics)
    #expect(throws: FlowFileError.self) { try ContinuousFlow(contentsOf: path) }

    let hamiltonian = HamiltonianFlow(
      try ContinuousFlow(dimension: 4, hamiltonian: HamiltonianArchitecture(hidden: [3], activation: .softplus)))
    try hamiltonian.write(to: path)
    #expect(try HamiltonianFlow(contentsOf: path) == hamiltonian)
    #expect(try ModelFile.model(in: SafetensorsFile(path: path)) == "hamiltonian")

    let transport = try TransportFlow(
      dimension: 3, architecture: TransportArchitecture(width: 5, layers: 3, rank: 2, transportScale: 0.3))
    try transport.write(to: path)
    #expect(try TransportFlow(contentsOf: path) == transport)
    #expect(throws: FlowFileError.self) { try HamiltonianFlow(contentsOf: path) }
  }

  /// The rank in a file is the number of rows of A. In older files it is the rank that was asked for.
  @Test func theRankIsThatOfTheTensor() throws {
    let path = folder.file("rank.safetensors")
    for (dimension, asked, rows) in [(3, 10, 3), (3, 2, 2), (12, 10, 10)] {
      let flow = try TransportFlow(dimension: dimension, architecture: TransportArchitecture(width: 5, rank: asked))
      #expect(flow.architecture.rank == rows)
      try flow.write(to: path)
      var file = try SafetensorsFile(path: path)
      #expect(file.metadata["potential.rank"] == "\(rows)")
      #expect(file.tensors.contains { $0.shape == [rows, dimension + 1] })
      #expect(try TransportFlow(contentsOf: path) == flow)
      guard rows == dimension else { continue }
      file.metadata["potential.rank"] = "\(asked)"
      try file.write(to: path)
      #expect(try TransportFlow(contentsOf: path) == flow)
    }
  }

  /// A file whose description of a structure is wrong is refused.
  @Test func alteredStructuresAreRefused() throws {
    let path = folder.file("altered.safetensors")
    try TransportFlow(dimension: 3, architecture: TransportArchitecture(width: 5)).write(to: path)
    let file = try SafetensorsFile(path: path)
    for (key, value) in [
      ("potential.width", "6"), ("potential.width", "0"), ("potential.layers", "3"), ("potential.layers", "60000"),
      ("potential.activation", "tanh"), ("potential.activation", "relu"), ("potential.transport_scale", "0"),
      ("potential.rank", "2"),
    ] {
      var altered = file
      altered.metadata[key] = value
      try altered.write(to: path)
      #expect(throws: FlowFileError.self, "\(key) \(value)") { try TransportFlow(contentsOf: path) }
    }
    let flow = try ContinuousFlow(dimension: 2, hamiltonian: HamiltonianArchitecture(hidden: [3]))
    try HamiltonianFlow(flow).write(to: path)
    var altered = try SafetensorsFile(path: path)
    altered.metadata["program"] = altered.metadata["program"]?.replacing("-1.0 1.0", with: "-1.0 0.5")
    try altered.write(to: path)
    #expect(throws: FlowFileError.self) { try HamiltonianFlow(contentsOf: path) }
  }

  @Test func tiedOperationsAreText() throws {
    let program = try TransportArchitecture(width: 4).costProgram(stateDimension: 2)
    let text = try ProgramText.text(of: program)
    #expect(text.contains("transposed") && text.contains("sum"))
    #expect(try ProgramText.program(text, dimension: 4) == program)
    for bad in [
      "transposed 0 1", "linear 0 2 tanh; transposed 0 2", "linear 0 3 tanh; transposed 0 1", "time; transposed 0 1",
      "scale 0 1.0 inf", "sum 1", "transposed 0",
    ] {
      #expect(throws: ProgramText.Problem.self, "\(bad)") { try ProgramText.program(bad, dimension: 2) }
    }
  }
}
