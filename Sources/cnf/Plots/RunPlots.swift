import ContinuousFlows
import FlowIO
import FlowPlots
import Foundation

/// Draws the plots of a run.
struct RunPlots {
  private static let shownPoints = 2000

  let run: TrainedRun
  let split: DatasetSplit
  /// Runs whose evaluations are plotted with this one's.
  let others: [TrainedRun]
  /// The Gaussian's figures on the held-out data, if they are known already.
  private let baseline: GaussianFigures?

  /// - Parameters:
  ///   - split: the data of the run; nil: they are loaded.
  ///   - baseline: the Gaussian's figures on the held-out data; nil: they are computed if a plot shows them.
  init(
    of run: TrainedRun, beside others: [TrainedRun] = [], split: DatasetSplit? = nil, baseline: GaussianFigures? = nil
  ) throws {
    self.run = run
    self.others = others
    self.baseline = baseline
    self.split = try split ?? run.settings.loadSplit()
  }

  /// The plots that suit the run, the most telling one first.
  var kinds: [PlotKind] { run.model.plotKinds(run.settings) + (run.hasSolves ? [.evaluations] : []) }

  /// Draws `kinds`, as PNG into the run's folder; returns the files.
  func writeAll(to folder: RunFolder, kinds: [PlotKind]) throws -> [String] {
    do {
      try FileManager.default.createDirectory(atPath: folder.plotsPath, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure(.other, "cannot create the folder \(folder.plotsPath): check its permissions")
    }
    return try kinds.map { kind in
      let path = "\(folder.plotsPath)/\(kind.rawValue).png"
      try write(kind, to: path)
      return path
    }
  }

  /// Draws one kind to a .png, .svg or .pdf file.
  func write(_ kind: PlotKind, to path: String) throws {
    guard kinds.contains(kind) else {
      let known = kinds.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure(
        .usage,
        "a '\(kind.rawValue)' plot does not suit \(run.path) (\(type(of: run.model).noun), \(run.model.dimension) dimensions, "
          + "trained by \(run.settings.objective.rawValue)): take \(known)")
    }
    let plot: any Plot =
      switch kind {
      case .training: try training()
      case .evaluations: try evaluations()
      default: try run.model.plot(kind, of: run, split: split)
      }
    try plot.write(to: path)
  }

  /// Held-out samples, as many as a panel can show.
  static func shownData(of split: DatasetSplit, seed: UInt64) -> SampleMatrix {
    let data = split.test.continuousSamples(seed: seed)
    return data.rows(0..<min(shownPoints, data.count))
  }

  private func training() throws -> TrainingCurve {
    let records = try run.metrics()
    func series(_ name: String, kind: String) -> Series {
      Self.series(name, of: "nll_nats", kind: kind, in: records)
    }
    var references: [ReferenceLine] = []
    if run.model is any DensityModel {
      let gaussian = baseline ?? GaussianFigures(on: split.test, against: split.fitted, seed: run.settings.seed)
      references = [ReferenceLine(label: "Gaussian", value: gaussian.nll)]
    }
    return TrainingCurve(
      series: [series("training", kind: "step"), series("validation", kind: "validation")],
      references: references, title: run.settings.data.text, yLabel: "NLL (nats per sample)")
  }

  private func evaluations() throws -> TrainingCurve {
    let series = try ([run] + others).map { run in
      Self.series(
        others.isEmpty ? "training" : run.name, of: "evaluations_mean", kind: "step", in: try run.metrics())
    }
    return TrainingCurve(
      series: series, title: run.settings.data.text, yLabel: "field evaluations per sample", smoothing: 20)
  }

  private static func series(
    _ name: String, of key: String, kind: String, in records: [JSONValue]
  ) -> Series {
    let points = records.filter { $0["kind"]?.text == kind }.compactMap { record -> (Double, Double)? in
      guard let step = record["step"]?.doubleValue, let number = record[key]?.doubleValue else { return nil }
      return (step, number)
    }
    return Series(name: name, steps: points.map(\.0), values: points.map(\.1))
  }
}
