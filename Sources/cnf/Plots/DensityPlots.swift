import ContinuousFlows
import FlowPlots
import Foundation

/// Plots of a model that is a density, with the data it was trained on.
struct DensityPlots<Model: DensityModel> {
  let model: Model
  let settings: Settings
  let split: DatasetSplit

  /// Data, samples and the density side by side; two dimensions.
  func density() throws -> DensityPlot {
    let data = RunPlots.shownData(of: split, seed: settings.seed)
    let (x, y) = (Self.limits(of: data, column: 0), Self.limits(of: data, column: 1))
    let cells = model.contextDimension == 0 ? densityCells : conditionalDensityCells
    let centers = DensityGrid.centers(rows: cells, columns: cells, x: x, y: y)
    let densities = try meanDensities(
      of: SampleMatrix(count: cells * cells, dimension: 2, values: centers))
    return DensityPlot(
      data: data.values, samples: try drawn(data.count).values,
      density: DensityGrid(values: densities, rows: cells, columns: cells, x: x, y: y, quantity: .density),
      title: settings.data.text, xLabel: "x₁", yLabel: "x₂")
  }

  /// p(x); for a conditional model an estimate of it, the mean of p(x|c) over contexts c of held-out samples.
  private func meanDensities(of points: SampleMatrix) throws -> [Double] {
    guard let contexts = split.heldOutContexts(densityContexts) else { return try densities(of: points, context: nil) }
    var sums = [Double](repeating: 0, count: points.count)
    for row in 0..<contexts.count {
      let context = contexts.rows(repeatElement(row, count: points.count))
      for (place, density) in try densities(of: points, context: context).enumerated() {
        sums[place] += density / Double(contexts.count)
      }
    }
    return sums
  }

  private func densities(of points: SampleMatrix, context: SampleMatrix?) throws -> [Double] {
    try model.logDensities(
      of: points, options: settings.evaluationSolverOptions, backend: settings.backend, seed: settings.seed,
      identifiers: nil, context: context
    ).values.map { exp($0) }
  }

  /// Images of the data next to sampled images; the digits.
  func samples() throws -> SampleGrid {
    let data = RunPlots.shownData(of: split, seed: settings.seed).rows(0..<min(100, split.test.count))
    return SampleGrid(
      data: data.values, samples: try drawn(100).values, height: Digits.height,
      width: Digits.width, black: 1, white: 0, title: settings.data.text)
  }

  /// Paths of samples from base to data; two dimensions.
  func paths(of flow: any PathModel) throws -> ParticlePaths {
    let times = flow.evenTimes(pathTimes)
    let positions = try flow.paths(
      count: pathCount, seed: settings.seed, times: times, options: settings.evaluationSolverOptions,
      backend: settings.backend, context: split.heldOutContexts(pathCount))
    return ParticlePaths(
      positions: positions.flatMap(\.values), times: times, particles: pathCount,
      title: settings.data.text)
  }

  private func drawn(_ count: Int) throws -> SampleMatrix {
    try model.samples(
      count: count, seed: settings.seed, options: settings.evaluationSolverOptions, backend: settings.backend,
      context: split.heldOutContexts(count))
  }

  /// The range of the data in a column, with a tenth of it added on either side.
  static func limits(of points: SampleMatrix, column: Int) -> ClosedRange<Double> {
    let values = (0..<points.count).map { points.values[$0 * points.dimension + column] }
    let (lowest, highest) = (values.min() ?? -1, values.max() ?? 1)
    let margin = highest > lowest ? 0.1 * (highest - lowest) : 1
    return lowest - margin...highest + margin
  }
}

/// Cells of the density along each axis.
private let densityCells = 128
/// The same for a conditional model, whose density costs `densityContexts` times as much.
private let conditionalDensityCells = 64
private let densityContexts = 16
/// Samples, and times, of a plot of paths.
private let pathCount = 400
private let pathTimes = 41

extension DatasetSplit {
  /// Contexts of `count` held-out samples, from the first on, repeated where there are fewer; nil: the data have none.
  func heldOutContexts(_ count: Int) -> SampleMatrix? {
    test.context.map { $0.rows((0..<count).map { $0 % test.count }) }
  }
}
