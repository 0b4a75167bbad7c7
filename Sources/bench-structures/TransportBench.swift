import ArgumentParser
import ContinuousFlows
import FlowPlots
import Foundation

/// Compares how far different flows carry samples when they learn the same data.
struct TransportBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transport",
    abstract:
      "Transport cost of plain flows, of RNODE and of OT-Flow, compared with the exact W2 of a pair of Gaussians.",
    discussion: """
      Each flow is trained on one thread with every seed; figures are means over the seeds ± half their range. NLL is held out, in nats; \
      evaluations are those of the transported samples' solves, dopri5 at 1e-5.
      """)

  @Option(help: "The folder that pictures are written to.") var out = "runs/bench-structures"
  @Option(help: "Steps of each training.") var steps = 1000
  @Option(help: "Seeds of nets and batches.") var seeds = 3
  @Option(help: "gaussian-pair, or a data set of two columns.") var data = "gaussian-pair"

  private static let pairName = "gaussian-pair"
  private static let samples = 8000
  private static let transported = 2000
  private static let transportSeed: UInt64 = 3
  private static let evaluation = SolverOptions(control: .perSample(rtol: 1e-5, atol: 1e-5), trace: .exact, threads: 1)

  /// The result of one trained flow.
  private struct Figures {
    let nats: Double
    let report: TransportReport
    let seconds: Double
  }

  func run() throws {
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let split = try self.split()
    print(
      "| flow | parameters | held-out NLL, nats | squared displacement | action | crookedness, % | evaluations | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for contender in TransportContender.all(isWide: data != Self.pairName) {
      var figures: [Figures] = []
      var parameters = 0
      for seed in 0..<UInt64(max(1, seeds)) {
        let start = try contender.flow(seed: seed, transform: transform(split))
        parameters = start.parameters.count
        let (flow, trained) = try self.figures(of: contender, start, split, seed: seed)
        if seed == 0 { try drawPaths(of: flow, named: contender.name) }
        figures.append(trained)
      }
      let cells = [
        contender.name, "\(parameters)", spread(figures.map(\.nats), 3),
        spread(figures.map(\.report.squaredDisplacement), 3), spread(figures.map(\.report.action), 3),
        spread(figures.map { 100 * $0.report.crookedness }, 1), spread(figures.map(\.report.evaluationsMean), 1),
        spread(figures.map(\.seconds), 0),
      ]
      print("| \(cells.joined(separator: " | ")) |")
      fflush(nil)
    }
  }

  private func split() throws -> DatasetSplit {
    guard data == Self.pairName else {
      return try DatasetSource(data).load().split(.counts(validation: 1_000, test: Self.transported))
    }
    let pair = GaussianPair()
    let split = try pair.dataset(count: Self.samples, seed: 1).split(.fractions(validation: 0.1, test: 0.25))
    let start = SampleMatrix(
      ContinuousFlow(dimension: 2).baseSamples(count: Self.transported, seed: Self.transportSeed))
    // The flow learns the Gaussian of the training samples, so its optimal transport is the optimum for displacements.
    let fitted = GaussianPair(fittedTo: split.train.samples)
    print(String(format: "W2 squared %.3f, entropy of the data %.3f nats", pair.squaredDistance, pair.entropy))
    print(
      String(
        format: "optimal transport moves the samples below by %.3f, mean square; to the mean and covariance of the "
          + "training data by %.3f\n", pair.squaredDisplacement(of: start), fitted.squaredDisplacement(of: start)))
    return split
  }

  /// The Gaussian pair is not standardised, so that displacements are those between the two Gaussians.
  private func transform(_ split: DatasetSplit) -> DataTransform {
    data == Self.pairName ? .identity(dimension: 2) : .standardising(split.train.samples)
  }

  private func figures(
    of contender: TransportContender, _ start: ContinuousFlow, _ split: DatasetSplit, seed: UInt64
  ) throws -> (ContinuousFlow, Figures) {
    let options = TrainingOptions(
      steps: steps, batchSize: 512, learningRate: 5e-3, schedule: LearningRateSchedule(.cosine(), warmupSteps: 20),
      regularisation: contender.regularisation, clipNorm: 10, averageDecay: 0.99, seed: seed,
      solver: SolverOptions(method: "rk4", control: .fixed(steps: 8), trace: .exactTangents, threads: 1),
      evaluationSolver: Self.evaluation, clock: .processor)
    let result = try Trainer(
      model: start, objective: contender.objective(of: start, options: options), training: split.train,
      validation: split.validation, options: options
    ).run()
    let flow = result.model
    var drawing = Self.evaluation
    drawing.trace = .none
    return (
      flow,
      Figures(
        nats: try flow.evaluate(on: split.test, options: Self.evaluation).nllNats,
        report: try flow.transportReport(count: Self.transported, seed: Self.transportSeed, options: drawing),
        seconds: result.seconds)
    )
  }

  /// Mean ± half the range.
  private func spread(_ values: [Double], _ digits: Int) -> String {
    let half = 0.5 * ((values.max() ?? 0) - (values.min() ?? 0))
    let mean = values.reduce(0, +) / Double(values.count)
    return String(format: values.count > 1 ? "%.\(digits)f ± %.\(digits)f" : "%.\(digits)f", mean, half)
  }

  private static let drawnParticles = 60
  private static let drawnTimes = 41

  private func drawPaths(of flow: ContinuousFlow, named name: String) throws {
    let times = flow.evenTimes(Self.drawnTimes)
    let paths = try flow.paths(count: Self.drawnParticles, seed: Self.transportSeed, times: times)
    let plot = ParticlePaths(
      positions: paths.flatMap { $0.values.map { Double($0) } }, times: times, particles: Self.drawnParticles,
      title: name)
    let file = name.lowercased().replacing(", ", with: "-").replacing(" ", with: "-")
    try plot.write(to: "\(out)/transport-\(data)-\(file).png")
  }
}
