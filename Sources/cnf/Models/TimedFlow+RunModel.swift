import ContinuousFlows
import FlowIO
import FlowPlots

extension TimedFlow: RunModel {
  static let noun = "flow"

  var continuousFlow: ContinuousFlow? { flow }

  static func validate(_ settings: Settings) throws {
    guard settings.objective == Objective.likelihood else {
      throw CommandFailure(
        .usage,
        "objective is \(settings.objective), which trains no end time: take --model flow, or --objective likelihood")
    }
    try ContinuousFlow.validate(settings)
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> TimedFlow {
    TimedFlow(try ContinuousFlow.untrained(for: training, settings: settings))
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<TimedFlow> {
    try TimedLikelihood(flow: self, options: settings.trainingOptions)
  }

  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport {
    let report = try flow.report(on: dataset, against: fitted, settings: settings)
    let time = Format.decimal(flow.endTime, digits: 4)
    return HeldOutReport(
      members: report.members + [("end_time", .number(flow.endTime))],
      lines: report.lines + ["end time T, trained: \(time), from \(Format.decimal(settings.endTime, digits: 4))"])
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] { flow.plotKinds(settings) }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    try flow.plot(kind, of: run, split: split)
  }
}
