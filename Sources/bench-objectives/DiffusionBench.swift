import ArgumentParser
import ContinuousFlows
import FlowPlots
import Foundation

/// Compares the three diffusion processes after equal training time, their samples by flow and by reverse diffusion,
/// and two choices of time.
struct DiffusionBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffusion",
    abstract: "Held-out NLL of diffusion models by their probability flow, and how far their samplers are apart.",
    discussion: """
      Trains each process with each weighting for the same processor seconds on one thread; three rates are tried with \
      `vp`. The held-out NLL is that of the averaged weights, by the probability flow, dopri5 at 1e-5 with the exact \
      trace; lower is better.
      """)

  @Option(help: "A data set of two columns.") var data = "pinwheel"
  @Option(help: "Widths of the hidden layers, SiLU.") var hidden = "64,64,64"
  @Option(help: "Processor seconds of training of each model.") var seconds = 20.0
  @Option(help: "Samples of each kind that are compared.") var samples = 1000
  @Option(help: "A picture (.png) of the samples of the first model.") var picture: String?

  private var widths: [Int] { hidden.split(separator: ",").compactMap { Int($0) } }

  func run() throws {
    let split = try benchSplit(data)
    let rate = try bestRate(split)
    print("`\(data)`, \(hidden) SiLU, \(decimal(seconds, 0)) processor seconds each, batch 512, rate \(rate):\n")
    print(
      "| process | weighting | held-out NLL, nats | evaluations of a density | steps | flow – Euler-Maruyama "
        + "| flow – predictor-corrector | flow – data | noise |")
    print("|---|---|---|---|---|---|---|---|---|")
    var first: DiffusionModel?
    for process in DiffusionProcess.all {
      for weighting in ScoreMatching.Weighting.allCases {
        let (model, steps) = try trained(process, weighting, rate, split)
        first = first ?? model
        try report(model, weighting, steps, split)
      }
    }
    guard let first else { return }
    print("\n" + (try PaperTimeFlow(of: first, hidden: widths).comparison(on: split.test.samples)))
    if let picture { try draw(first, split, to: picture) }
  }

  private func trained(
    _ process: DiffusionProcess, _ weighting: ScoreMatching.Weighting, _ rate: Double, _ split: DatasetSplit
  ) throws -> (model: DiffusionModel, steps: Int) {
    let model = DiffusionModel(
      process: process, dimension: 2, architecture: FieldArchitecture(hidden: widths, activation: .silu),
      transform: .standardising(split.train.samples))
    var options = benchOptions(batch: 512, rate: rate, seed: 0)
    options.seconds = seconds
    let trainer = try Trainer(
      model: model, objective: ScoreMatching(model: model, weighting: weighting, options: options),
      training: split.train, options: options)
    _ = try trainer.run()
    return (trainer.state.averagedModel, trainer.state.step)
  }

  /// The learning rate of `vp` with the best validation NLL.
  private func bestRate(_ split: DatasetSplit) throws -> Double {
    let tried = try [1e-3, 2e-3, 5e-3].map { rate in
      let (model, _) = try trained(.variancePreserving(), .noise, rate, split)
      let nll = try model.evaluate(on: split.validation).nllNats
      progress("\(data) vp, rate \(rate): validation NLL \(decimal(nll, 3)) nats")
      return (rate: rate, nll: nll)
    }
    return tried.min { $0.nll < $1.nll }?.rate ?? 2e-3
  }

  private func report(
    _ model: DiffusionModel, _ weighting: ScoreMatching.Weighting, _ steps: Int, _ split: DatasetSplit
  ) throws {
    let result = try model.evaluate(on: split.test)
    let flow = try model.samples(count: samples, seed: 1)
    func distance(to other: SampleMatrix) -> String {
      let distance = EnergyDistance(between: flow, and: other, permutations: 199)
      return "\(decimal(distance.value, 4)) (p \(decimal(distance.pValue ?? 1, 2)))"
    }
    let euler = try model.samples(count: samples, seed: 2, by: .eulerMaruyama())
    let corrected = try model.samples(count: samples, seed: 3, by: .predictorCorrector())
    // The distance between two sets of samples from the data's distribution.
    let noise = EnergyDistance(between: try model.samples(count: samples, seed: 4), and: flow).value
    let cells = [
      "`\(model.process.kind)`", weighting.rawValue, result.failed == 0 ? decimal(result.nllNats, 3) : "failed",
      decimal(result.evaluationsMean, 0), "\(steps)", distance(to: euler), distance(to: corrected),
      distance(to: split.test.samples.rows(0..<min(samples, split.test.count))), decimal(noise, 4),
    ]
    print("| \(cells.joined(separator: " | ")) |")
  }

  private func draw(_ model: DiffusionModel, _ split: DatasetSplit, to path: String) throws {
    let (data, cells) = (split.test.samples, 128)
    func limits(_ column: Int) -> ClosedRange<Double> {
      let values = (0..<data.count).map { data.values[2 * $0 + column] }
      return (values.min() ?? -1) * 1.1...(values.max() ?? 1) * 1.1
    }
    let (x, y) = (limits(0), limits(1))
    let centers = DensityGrid.centers(rows: cells, columns: cells, x: x, y: y)
    let densities = try model.logDensities(
      of: SampleMatrix(count: cells * cells, dimension: 2, values: centers))
    let drawn = try model.samples(count: data.count, seed: 2, by: .predictorCorrector())
    try DensityPlot(
      data: data.values, samples: drawn.values,
      density: DensityGrid(
        values: densities.values.map { exp($0) }, rows: cells, columns: cells, x: x, y: y, quantity: .density),
      title: "\(self.data): samples by predictor-corrector, density by the probability flow", xLabel: "x₁", yLabel: "x₂"
    ).write(to: path)
  }
}
