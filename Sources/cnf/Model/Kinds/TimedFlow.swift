import ContinuousFlows
import FlowIO
import FlowPlots

extension ModelKind {
  static let timedFlow = ModelKind(
    "timed-flow", "flow whose end time T is trained too", TimedFlow.self, features: ModelKind.featuresOfFlow)
}

extension TimedFlow: RunModel {
  static let noun = "flow"

  var continuousFlow: ContinuousFlow? { flow }

  static func untrained(for split: DatasetSplit, settings: Settings) throws -> TimedFlow {
    TimedFlow(try ContinuousFlow.untrained(for: split, settings: settings))
  }

  func objective(for split: DatasetSplit, settings: Settings) throws -> any TrainingObjective<TimedFlow> {
    try TimedLikelihood(flow: self, options: settings.trainingOptions)
  }

  func report(on dataset: Dataset, against fitted: Dataset?, settings: Settings) throws -> HeldOutReport {
    let report = try flow.report(on: dataset, against: fitted, settings: settings)
    let (trained, first) = (Format.decimal(flow.endTime, digits: 4), Format.decimal(settings.endTime, digits: 4))
    return report.followed(
      by: HeldOutReport(
        members: [("end_time", .number(flow.endTime))],
        lines: ["trained end time T: \(trained) (started at \(first))"]))
  }

  func plotKinds(_ settings: Settings) -> [PlotKind] { flow.plotKinds(settings) }

  func plot(_ kind: PlotKind, of run: TrainedRun, split: DatasetSplit) throws -> any Plot {
    try flow.plot(kind, of: run, split: split)
  }
}
