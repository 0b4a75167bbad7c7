import ArgumentParser
import ContinuousFlows
import FlowPlots
import Foundation

/// Three flows that learn the same Gaussian, and how far they carry what they carry.
struct TransportBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transport",
    abstract: "Transport cost of a plain flow, of RNODE and of OT-Flow beside the exact W2 of a pair of Gaussians.")

  @Option(help: "The folder that pictures are written to.") var out = "runs/bench-structures"
  @Option(help: "Steps of each training.") var steps = 1500

  private struct Contender {
    let name: String
    let flow: ContinuousFlow
    let objective: any TrainingObjective<ContinuousFlow>
  }

  private static let samples = 8000
  private static let particles = 2000
  private static let seed: UInt64 = 3
  private static let evaluation = SolverOptions(control: .perSample(rtol: 1e-5, atol: 1e-5), trace: .exact)

  func run() throws {
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let pair = GaussianPair()
    let split = try pair.dataset(count: Self.samples, seed: 1).split(.fractions(validation: 0.1, test: 0.25))
    print(String(format: "W2 squared %.3f, entropy of the data %.3f nats", pair.squaredDistance, pair.entropy))
    let exact = pair.squaredDisplacement(
      of: ContinuousFlow(dimension: 2).baseSamples(count: Self.particles, seed: Self.seed))
    print(String(format: "optimal transport moves the particles below by %.3f, mean square", exact))
    print("")
    print("| flow | parameters | nats | squared displacement | action | crookedness | evaluations | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for contender in try contenders() {
      let clock = ContinuousClock.now
      let flow = try Trainer(
        model: contender.flow, objective: contender.objective, training: split.train, validation: split.validation,
        options: options()
      ).run().model
      let seconds = (ContinuousClock.now - clock) / .seconds(1)
      let nats = try flow.evaluate(on: split.test, options: Self.evaluation).nllNats
      var drawing = Self.evaluation
      drawing.trace = .none
      let report = try flow.transportReport(count: Self.particles, seed: Self.seed, options: drawing)
      let figures = [
        contender.name, "\(flow.parameters.count)", String(format: "%.3f", nats),
        String(format: "%.3f", report.squaredDisplacement), String(format: "%.3f", report.action),
        String(format: "%.1f %%", 100 * report.crookedness), String(format: "%.1f", report.evaluationsMean),
        String(format: "%.0f", seconds),
      ]
      print("| \(figures.joined(separator: " | ")) |")
      fflush(nil)
      try drawPaths(of: flow, named: contender.name)
    }
  }

  /// The same weights where the same thing is weighed: RNODE's kinetic energy is a mean over both columns, OT-Flow's a sum.
  private static let transport = TransportLikelihood.defaultWeights.transport
  private static let frobenius = 0.01

  private func options(_ regularisation: Regularisation = .none) -> TrainingOptions {
    TrainingOptions(
      steps: steps, batchSize: 512, learningRate: 5e-3, schedule: LearningRateSchedule(.cosine(), warmupSteps: 20),
      regularisation: regularisation, clipNorm: 10, averageDecay: 0.99,
      solver: SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exactTangents),
      evaluationSolver: Self.evaluation)
  }

  private func contenders() throws -> [Contender] {
    let plain = ContinuousFlow(dimension: 2, hidden: [32, 32], seed: 2)
    let architecture = TransportArchitecture(width: 32)
    let potential = try ContinuousFlow(dimension: 2, transport: architecture, seed: 2)
    let rnode = Regularisation(kineticEnergy: 2 * Self.transport, frobeniusNorm: Self.frobenius)
    return [
      Contender(name: "plain", flow: plain, objective: try MaximumLikelihood(flow: plain, options: options())),
      Contender(name: "RNODE", flow: plain, objective: try MaximumLikelihood(flow: plain, options: options(rnode))),
      Contender(
        name: "potential, no costs", flow: potential,
        objective: try MaximumLikelihood(flow: potential, options: options())),
      Contender(
        name: "OT-Flow", flow: potential,
        objective: try TransportLikelihood(flow: potential, architecture: architecture, options: options())),
    ]
  }

  private static let drawnParticles = 60
  private static let drawnTimes = 41

  private func drawPaths(of flow: ContinuousFlow, named name: String) throws {
    let last = Double(Self.drawnTimes - 1)
    let times = (0..<Self.drawnTimes).map { flow.endTime * Double($0) / last }
    let paths = try flow.paths(count: Self.drawnParticles, seed: Self.seed, times: times)
    let plot = ParticlePaths(
      positions: paths.flatMap { $0.values.map { Double($0) } }, times: times, particles: Self.drawnParticles,
      title: name)
    let file = name.lowercased().replacing(", ", with: "-").replacing(" ", with: "-")
    try plot.write(to: "\(out)/transport-\(file).png")
  }
}
