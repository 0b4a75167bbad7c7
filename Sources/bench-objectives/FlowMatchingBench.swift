import ArgumentParser
import ContinuousFlows
import FlowIO
import Foundation

/// Compares the held-out NLL of maximum likelihood and flow matching over training time.
struct FlowMatchingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow-matching",
    abstract:
      "Held-out NLL of one flow by maximum likelihood and by flow matching, after equal seconds of one core.",
    discussion: """
      For every budget, each objective tries its settings with seed 0; the learning rate falls to 0 as half a cosine over \
      the budget. The setting with the best validation NLL is trained with the other seeds as well and reported. The \
      held-out NLL is that of the averaged weights, by dopri5 at 1e-5 with the exact trace; lower is better. Seconds \
      are processor seconds on one thread.
      """)

  @Option(help: "A data set of two columns.") var data = "two-spirals"
  @Option(help: "Widths of the hidden layers, tanh.") var hidden = "512,512,512,512"
  @Option(help: "Seeds of the best setting of each objective.") var seeds = 3
  @Option(help: "Processor seconds of training, rising.") var budgets = "8,16,32"

  private struct Objective {
    let name: String
    let settings: [Setting]
  }

  private struct Setting {
    let batch: Int
    let rate: Double
    /// The solver of maximum likelihood.
    var tolerance = 1e-3
    /// nil means maximum likelihood.
    var coupling: FlowMatching.Coupling?

    var words: String { "rate \(rate), batch \(batch)" }
  }

  private static let objectives = [
    Objective(
      name: "maximum likelihood",
      settings: [(64, 2e-3), (64, 5e-3), (128, 1e-2)].map { Setting(batch: $0.0, rate: $0.1) }),
    Objective(
      name: "flow matching",
      settings: [(128, 5e-3), (256, 5e-3), (512, 1e-2)].map {
        Setting(batch: $0.0, rate: $0.1, coupling: .independent)
      }),
    Objective(
      name: "flow matching, optimal transport",
      settings: [(128, 2e-3), (128, 5e-3), (256, 5e-3)].map {
        Setting(batch: $0.0, rate: $0.1, coupling: .optimalTransport)
      }),
  ]

  private static func words(_ seconds: Double) -> String { String(format: "%g s", seconds) }

  /// Number of validation samples that choose the setting.
  private static let choosers = 250

  /// The result of one run.
  private struct Ending {
    let flow: ContinuousFlow
    let validation: Double
    let steps: Int
  }

  /// The results of all seeds of one objective within one budget.
  private struct Cell {
    let nlls: [Double]
    let evaluations: Double
    let steps: Int
    let setting: Setting

    var mean: Double { nlls.reduce(0, +) / Double(nlls.count) }
    var halfRange: Double { 0.5 * ((nlls.max() ?? 0) - (nlls.min() ?? 0)) }
  }

  func run() throws {
    let split = try benchSplit(data)
    let times = budgets.split(separator: ",").compactMap { Double($0) }
    let rows = try Self.objectives.map { objective in
      (objective.name, try times.map { try cell(objective, seconds: $0, split) })
    }
    print("`\(data)`, \(hidden) tanh; held-out NLL in nats, mean of \(seeds) seeds ± half their range:\n")
    print(
      "| | " + times.map(Self.words).joined(separator: " | ")
        + " | reaches the likelihood's last NLL | steps | evaluations of a density | setting at the end |")
    print("|---|" + String(repeating: "---|", count: times.count + 4))
    let goal = rows.first?.1.last?.mean ?? .nan
    for (name, cells) in rows {
      guard let last = cells.last else { continue }
      let reached = zip(times, cells).first { $0.1.mean <= goal }.map { "after \(Self.words($0.0))" } ?? "no"
      let row =
        [name] + cells.map { "\(decimal($0.mean, 3)) ± \(decimal($0.halfRange, 3))" } + [
          reached, "\(last.steps)", decimal(last.evaluations, 0), last.setting.words,
        ]
      print("| \(row.joined(separator: " | ")) |")
    }
  }

  private func cell(_ objective: Objective, seconds: Double, _ split: DatasetSplit) throws -> Cell {
    let tried = try objective.settings.map { setting in
      (setting: setting, ending: try ending(objective.name, setting, split, seconds: seconds, seed: 0))
    }
    guard let best = tried.min(by: { $0.ending.validation < $1.ending.validation }) else {
      preconditionFailure("\(objective.name) has no settings")
    }
    let others = try (1..<max(1, seeds)).map {
      try ending(objective.name, best.setting, split, seconds: seconds, seed: UInt64($0))
    }
    let endings = [best.ending] + others
    let results = try endings.map { try $0.flow.evaluate(on: split.test) }
    let count = endings.count
    let cell = Cell(
      nlls: results.map { $0.failed == 0 ? $0.nllNats : .nan },
      evaluations: results.reduce(0) { $0 + $1.evaluationsMean } / Double(count),
      steps: endings.reduce(0) { $0 + $1.steps } / count, setting: best.setting)
    progress("\(objective.name), \(Self.words(seconds)), \(best.setting.words): \(cell.nlls.map { decimal($0, 3) })")
    return cell
  }

  private func ending(
    _ name: String, _ setting: Setting, _ split: DatasetSplit, seconds: Double, seed: UInt64
  ) throws -> Ending {
    let start = ContinuousFlow(
      dimension: 2, hidden: hidden.split(separator: ",").compactMap { Int($0) }, activation: .tanh, seed: seed,
      transform: .standardising(split.train.samples))
    var options = benchOptions(batch: setting.batch, rate: setting.rate, tolerance: setting.tolerance, seed: seed)
    options.seconds = seconds
    options.schedule.shape = .cosine()
    let objective: any TrainingObjective<ContinuousFlow> =
      if let coupling = setting.coupling {
        try FlowMatching(flow: start, coupling: coupling, options: options)
      } else {
        try MaximumLikelihood(flow: start, options: options)
      }
    let trainer = try Trainer(model: start, objective: objective, training: split.train, options: options)
    _ = try trainer.run()
    let flow = trainer.state.averagedModel
    let choosers = split.validation.rows(0..<Self.choosers)
    let validation = try flow.evaluate(on: choosers)
    progress(
      "\(data) \(hidden) \(name), \(setting.words), seed \(seed), \(Self.words(seconds)): validation "
        + "\(decimal(validation.nllNats, 3)), \(trainer.state.step) steps")
    return Ending(
      flow: flow, validation: validation.failed == 0 ? validation.nllNats : .infinity, steps: trainer.state.step)
  }
}
