import ContinuousFlows
import FlowIO
import FlowPlots
import Foundation

/// Draws the pictures of a run.
struct RunPlots {
  /// Cells of the density along each axis.
  private static let densityCells = 128
  private static let shownPoints = 2000
  private static let particleCount = 400
  private static let particleTimes = 41

  let run: TrainedRun
  let split: DatasetSplit

  /// - Parameter split: the data of the run, where they are loaded already.
  init(of run: TrainedRun, split: DatasetSplit? = nil) throws {
    self.run = run
    self.split = try split ?? run.settings.loadSplit()
  }

  /// Those that suit the run, the one that says most first.
  var kinds: [PlotKind] {
    if run.settings.data == Digits.name { return [.samples, .training] }
    return run.flow.dimension == 2 ? [.density, .particles, .training] : [.training]
  }

  /// Draws `kinds`, as PNG into the run's folder; returns the files.
  func writeAll(to folder: RunFolder, kinds: [PlotKind]) throws -> [String] {
    do {
      try FileManager.default.createDirectory(atPath: folder.plotsPath, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure(.other, "cannot make the folder \(folder.plotsPath): check its permissions")
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
        "a '\(kind.rawValue)' plot does not suit \(run.path), whose data have \(run.flow.dimension) dimensions: "
          + "take \(known)")
    }
    switch kind {
    case .density: try density().write(to: path)
    case .particles: try particles().write(to: path)
    case .samples: try samples().write(to: path)
    case .training: try training().write(to: path)
    }
  }

  /// Held-out points, as many as a panel can show.
  private var shownData: SampleMatrix {
    let data = split.test.continuousPoints(seed: run.settings.seed)
    return data.rows(0..<min(Self.shownPoints, data.count))
  }

  private func drawn(_ count: Int) throws -> SampleMatrix {
    try run.flow.samples(
      count: count, seed: run.settings.seed, options: run.settings.evaluationSolverOptions,
      backend: run.settings.backendChoice)
  }

  private func density() throws -> DensityPlot {
    let data = shownData
    let (x, y) = (Self.limits(of: data, column: 0), Self.limits(of: data, column: 1))
    let cells = Self.densityCells
    let centers = DensityGrid.centers(rows: cells, columns: cells, x: x, y: y)
    let densities = try run.flow.logDensities(
      of: SampleMatrix(count: cells * cells, dimension: 2, values: centers.map { Float($0) }),
      options: run.settings.evaluationSolverOptions, backend: run.settings.backendChoice, seed: run.settings.seed)
    return DensityPlot(
      data: data.values.map { Double($0) }, samples: try drawn(data.count).values.map { Double($0) },
      density: DensityGrid(
        values: densities.values.map { exp($0) }, rows: cells, columns: cells, x: x, y: y, quantity: .density),
      title: run.settings.data, xLabel: "x₁", yLabel: "x₂")
  }

  private func particles() throws -> ParticlePaths {
    let last = Double(Self.particleTimes - 1)
    let times = (0..<Self.particleTimes).map { run.flow.endTime * Double($0) / last }
    let paths = try run.flow.paths(
      count: Self.particleCount, seed: run.settings.seed, times: times, options: run.settings.evaluationSolverOptions,
      backend: run.settings.backendChoice)
    return ParticlePaths(
      positions: paths.flatMap { $0.values.map { Double($0) } }, times: times, particles: Self.particleCount,
      title: run.settings.data)
  }

  private func samples() throws -> SampleGrid {
    let data = shownData.rows(0..<min(100, split.test.count))
    return SampleGrid(
      data: data.values.map { Double($0) }, samples: try drawn(100).values.map { Double($0) }, height: Digits.height,
      width: Digits.width, black: 1, white: 0, title: run.settings.data)
  }

  private func training() throws -> TrainingCurve {
    guard let folder = run.folder else {
      throw CommandFailure(.usage, "\(run.path) is a flow without its run, so there is no training to plot")
    }
    let records = try MetricsLog.read(folder.metricsPath)
    func series(_ name: String, kind: String) -> Series {
      let points = records.filter { $0["kind"]?.text == kind }.compactMap { record -> (Double, Double)? in
        guard let step = record["step"]?.doubleValue, let nll = record["nll_nats"]?.doubleValue else { return nil }
        return (step, -nll)
      }
      return Series(name: name, steps: points.map(\.0), values: points.map(\.1))
    }
    let gaussian = GaussianBaseline(fitting: split.fitted.continuousPoints(seed: run.settings.seed))
    let baseline = gaussian.meanLogDensity(of: split.test.continuousPoints(seed: run.settings.seed))
    return TrainingCurve(
      series: [series("training", kind: "step"), series("validation", kind: "validation")],
      references: [ReferenceLine(label: "Gaussian", value: baseline)], title: run.settings.data,
      yLabel: "log-likelihood (nats)")
  }

  /// What the data span in a column, with a tenth of it on either side.
  private static func limits(of points: SampleMatrix, column: Int) -> ClosedRange<Double> {
    let values = (0..<points.count).map { Double(points.values[$0 * points.dimension + column]) }
    let (lowest, highest) = (values.min() ?? -1, values.max() ?? 1)
    let margin = highest > lowest ? 0.1 * (highest - lowest) : 1
    return lowest - margin...highest + margin
  }
}
