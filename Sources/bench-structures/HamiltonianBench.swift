import ArgumentParser
import ContinuousFlows
import FlowPlots
import Foundation

/// Compares nets that learn the rates of a pendulum and of two bodies: as a field, as an energy, and as a separable
/// energy.
struct HamiltonianBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hamiltonian",
    abstract:
      "Energy drift of learned pendulums and orbits: Hamiltonian fields compared with a plain net of the same widths.")

  @Option(help: "The folder that pictures are written to.") var out = "runs/bench-structures"
  @Option(help: "Steps of each training.") var steps = 2000
  @Option(help: "Widths of the two hidden layers.") var width = 200

  /// A model, and the solvers for its paths.
  private struct Contender {
    let name: String
    let program: FieldProgram
    let parameters: [Float]
    let methods: [(name: String, options: SolverOptions)]
  }

  /// Number of steps of the symplectic methods between two of 200 outputs: h = 0.05.
  private static let fixedSteps = 10
  private static let samples = 4000

  func run() throws {
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    print("| system | field | parameters | error² of rates | method | evaluations | drift, t ≤ 20 | drift, t ≥ 80 |")
    print("|---|---|---|---|---|---|---|---|")
    for system in [MechanicalSystem.pendulum, .twoBody] {
      var series: [Series] = []
      for contender in try contenders(system) { series += try report(contender, on: system) }
      let plot = LinePlot(
        series: series, title: "\(system.name): drift of the energy along learned paths", xLabel: "t",
        yLabel: "mean |H(t) − H(0)| / |H(0)|", yScale: .logarithmic)
      try plot.write(to: "\(out)/hamiltonian-\(system.name).png")
    }
  }

  private func contenders(_ system: MechanicalSystem) throws -> [Contender] {
    let adaptive = ("dopri5 at 1e-6", SolverOptions(control: .perSample(rtol: 1e-6, atol: 1e-6), trace: .none))
    func fixed(_ method: String) -> (String, SolverOptions) {
      ("\(method), h = 0.05", SolverOptions(method: method, control: .fixed(steps: Self.fixedSteps), trace: .none))
    }
    let plain = FieldProgram.multilayerPerceptron(
      stateDimension: system.dimension, hidden: [width, width], activation: .tanh, seesTime: false)
    let energy = HamiltonianArchitecture(hidden: [width, width])
    let separable = HamiltonianArchitecture(hidden: [width, width], isSeparable: true)
    func parameters(_ architecture: HamiltonianArchitecture) -> [Float] {
      architecture.initialParameters(stateDimension: system.dimension, seed: 1, lastLayerScale: 1)
    }
    return [
      Contender(
        name: "plain net", program: plain, parameters: InitialParameters.uniform(for: plain, seed: 1),
        methods: [adaptive]),
      Contender(
        name: "energy", program: try energy.program(stateDimension: system.dimension), parameters: parameters(energy),
        methods: [adaptive]),
      Contender(
        name: "separable energy", program: try separable.program(stateDimension: system.dimension),
        parameters: parameters(separable), methods: [adaptive, fixed("leapfrog"), fixed("yoshida4"), fixed("rk4")]),
    ]
  }

  /// Trains the model as in the paper, by regression on rates, and follows its paths.
  private func report(_ contender: Contender, on system: MechanicalSystem) throws -> [Series] {
    let options = TrainingOptions(
      steps: steps, batchSize: 500, learningRate: 1e-3, averageDecay: 0.99, validationInterval: steps,
      evaluationSolver: SolverOptions(trace: .none))
    let untrained = DynamicsModel(program: contender.program, parameters: contender.parameters)
    let objective = try DerivativeRegression(model: untrained, options: options)
    let clean = system.dataset(count: 1000, seed: 2, noise: 0)
    let model = try Trainer(
      model: untrained, objective: objective, training: system.dataset(count: Self.samples, seed: 1),
      validation: clean, options: options
    ).run().model
    // The loss is half the squared error.
    let error = try 2 * objective.evaluate(model, on: clean, seed: 0).nllNats
    return try contender.methods.map { method in
      let rollout = try Rollout(of: model, on: system, options: method.options)
      let figures = [
        system.name, contender.name, "\(contender.parameters.count)", Self.short(error), method.name,
        String(format: "%.0f", rollout.evaluationsMean), Self.short(rollout.early), Self.short(rollout.late),
      ]
      print("| \(figures.joined(separator: " | ")) |")
      fflush(nil)
      let points = zip(rollout.times, rollout.drifts).filter { $0.1.isFinite }.map { Point(x: $0.0, y: $0.1) }
      return Series(name: "\(contender.name), \(method.name)", points: points)
    }
  }

  private static func short(_ value: Double) -> String { String(format: "%.2g", value) }
}
