import ArgumentParser
import ContinuousFlows
import FlowIO

/// Time to quality of maximum likelihood and of flow matching.
struct FlowMatchingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow-matching",
    abstract: "Held-out nats of one flow by maximum likelihood and by flow matching, after equal processor seconds.",
    discussion: """
      Every way of training tries four settings with seed 0 for some seconds; that with the best validation then trains with every \
      seed and is reported. Held-out nats are of the weights' average, by dopri5 at 1e-5 with the exact trace.
      """)

  @Option(help: "A data set of two columns.") var data = "pinwheel"
  @Option(help: "Widths of the hidden layers, tanh.") var hidden = "64,64,64"
  @Option(help: "Seeds of the best setting of each way.") var seeds = 3
  @Option(help: "Processor seconds of each setting that is tried.") var trial = 10.0
  @Option(help: "Processor seconds of training, rising.") var budgets = "2,5,10,20,40"

  private struct Way {
    let name: String
    let settings: [Setting]
  }

  private struct Setting {
    let batch: Int
    let rate: Double
    /// Of the solves of maximum likelihood.
    var tolerance = 1e-5
    /// nil: maximum likelihood.
    var coupling: FlowMatching.Coupling?

    var words: String {
      "rate \(rate), batch \(batch)" + (coupling == nil ? ", tolerance \(tolerance)" : "")
    }
  }

  private static let ways = [
    Way(
      name: "maximum likelihood",
      settings: [
        Setting(batch: 512, rate: 5e-3, tolerance: 1e-5), Setting(batch: 512, rate: 5e-3, tolerance: 1e-3),
        Setting(batch: 256, rate: 5e-3, tolerance: 1e-3), Setting(batch: 512, rate: 2e-3, tolerance: 1e-3),
      ]),
    Way(
      name: "flow matching",
      settings: [(512, 5e-3), (512, 2e-3), (2048, 5e-3), (128, 1e-3)].map {
        Setting(batch: $0.0, rate: $0.1, coupling: .independent)
      }),
    Way(
      name: "flow matching, optimal transport",
      settings: [(256, 5e-3), (256, 2e-3), (512, 5e-3), (128, 2e-3)].map {
        Setting(batch: $0.0, rate: $0.1, coupling: .optimalTransport)
      }),
  ]

  private struct Course {
    let validation: [Double]
    let test: [Double]
    let evaluations: [Double]
    let steps: Int
  }

  func run() throws {
    let split = try benchSplit(data)
    let times = budgets.split(separator: ",").compactMap { Double($0) }
    print("`\(data)`, \(hidden) tanh, T = 1; nats held out, mean of \(seeds) seeds ± half their range:\n")
    print(
      "| | " + times.map { "\(Int($0)) s" }.joined(separator: " | ")
        + " | steps | evaluations of a density | best of its settings |")
    print("|---|" + String(repeating: "---|", count: times.count + 3))
    for way in Self.ways {
      let tried = try way.settings.map { setting in
        let course = try course(setting, split, [trial], seed: 0)
        progress(
          "\(data) \(hidden) \(way.name), \(setting.words): validation \(decimal(course.validation[0], 3)) nats, "
            + "\(course.steps) steps")
        return (setting: setting, nats: course.validation[0])
      }
      guard let best = tried.min(by: { $0.nats < $1.nats }) else { continue }
      let courses = try (0..<max(1, seeds)).map { seed in
        let course = try course(best.setting, split, times, seed: UInt64(seed))
        progress("\(data) \(hidden) \(way.name), seed \(seed): \(course.test.map { decimal($0, 3) })")
        return course
      }
      let cells = times.indices.map { budget -> String in
        let values = courses.map { $0.test[budget] }
        let half = 0.5 * ((values.max() ?? 0) - (values.min() ?? 0))
        return "\(decimal(values.reduce(0, +) / Double(values.count), 3)) ± \(decimal(half, 3))"
      }
      let evaluations = courses.reduce(0) { $0 + ($1.evaluations.last ?? 0) } / Double(courses.count)
      let steps = courses.reduce(0) { $0 + $1.steps } / courses.count
      print(
        "| \(way.name) | \(cells.joined(separator: " | ")) | \(steps) | \(decimal(evaluations, 0)) | \(best.setting.words) |"
      )
    }
  }

  private func course(_ setting: Setting, _ split: DatasetSplit, _ times: [Double], seed: UInt64) throws -> Course {
    let flow = ContinuousFlow(
      dimension: 2, hidden: hidden.split(separator: ",").compactMap { Int($0) }, activation: .tanh, seed: seed,
      transform: .standardising(split.train.points))
    let options = benchOptions(
      batch: setting.batch, rate: setting.rate, tolerance: setting.tolerance, seed: seed)
    let objective: any TrainingObjective<ContinuousFlow> =
      if let coupling = setting.coupling {
        try FlowMatching(flow: flow, coupling: coupling, options: options)
      } else {
        try MaximumLikelihood(flow: flow, options: options)
      }
    var training = try TimedTraining(flow, objective, on: split.train, options: options)
    var (validation, test, evaluations) = ([Double](), [Double](), [Double]())
    for time in times {
      let model = try training.model(after: time)
      validation.append(try model.evaluate(on: split.validation).nllNats)
      let result = try model.evaluate(on: split.test)
      test.append(result.failed == 0 ? result.nllNats : .nan)
      evaluations.append(result.evaluationsMean)
    }
    return Course(validation: validation, test: test, evaluations: evaluations, steps: training.steps)
  }
}
