import ContinuousFlows
import FlowPlots
import Foundation

/// The pictures of a model that is a density, beside the data it was trained on.
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
      of: SampleMatrix(count: cells * cells, dimension: 2, values: centers.map { Float($0) }))
    return DensityPlot(
      data: data.values.map { Double($0) }, samples: try drawn(data.count).values.map { Double($0) },
      density: DensityGrid(values: densities, rows: cells, columns: cells, x: x, y: y, quantity: .density),
      title: settings.data, xLabel: "x₁", yLabel: "x₂")
  }

  /// p(x); of a conditional model the mean of p(x|c) over some held-out samples' c, which is an estimate of it.
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
      of: points, options: settings.evaluationSolverOptions, backend: settings.backendChoice, seed: settings.seed,
      identifiers: nil, context: context
    ).values.map { exp($0) }
  }

  /// Images of the data beside images that were drawn; the digits.
  func samples() throws -> SampleGrid {
    let data = RunPlots.shownData(of: split, seed: settings.seed).rows(0..<min(100, split.test.count))
    return SampleGrid(
      data: data.values.map { Double($0) }, samples: try drawn(100).values.map { Double($0) }, height: Digits.height,
      width: Digits.width, black: 1, white: 0, title: settings.data)
  }

  private func drawn(_ count: Int) throws -> SampleMatrix {
    try model.samples(
      count: count, seed: settings.seed, options: settings.evaluationSolverOptions, backend: settings.backendChoice,
      context: split.heldOutContexts(count))
  }

  /// What the data span in a column, with a tenth of it on either side.
  static func limits(of points: SampleMatrix, column: Int) -> ClosedRange<Double> {
    let values = (0..<points.count).map { Double(points.values[$0 * points.dimension + column]) }
    let (lowest, highest) = (values.min() ?? -1, values.max() ?? 1)
    let margin = highest > lowest ? 0.1 * (highest - lowest) : 1
    return lowest - margin...highest + margin
  }
}

/// Cells of the density along each axis.
private let densityCells = 128
/// The same of a conditional model, whose density takes so many times as long.
private let conditionalDensityCells = 64
private let densityContexts = 16

extension DatasetSplit {
  /// What is known of `count` held-out samples, from the first on and over again; nil where nothing is.
  func heldOutContexts(_ count: Int) -> SampleMatrix? {
    test.context.map { $0.rows((0..<count).map { $0 % test.count }) }
  }
}
