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
    let cells = densityCells
    let centers = DensityGrid.centers(rows: cells, columns: cells, x: x, y: y)
    let densities = try model.logDensities(
      of: SampleMatrix(count: cells * cells, dimension: 2, values: centers.map { Float($0) }),
      options: settings.evaluationSolverOptions, backend: settings.backendChoice, seed: settings.seed, identifiers: nil,
      context: nil)
    return DensityPlot(
      data: data.values.map { Double($0) }, samples: try drawn(data.count).values.map { Double($0) },
      density: DensityGrid(
        values: densities.values.map { exp($0) }, rows: cells, columns: cells, x: x, y: y, quantity: .density),
      title: settings.data, xLabel: "x₁", yLabel: "x₂")
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
      context: nil)
  }

  /// What the data span in a column, with a tenth of it on either side.
  private static func limits(of points: SampleMatrix, column: Int) -> ClosedRange<Double> {
    let values = (0..<points.count).map { Double(points.values[$0 * points.dimension + column]) }
    let (lowest, highest) = (values.min() ?? -1, values.max() ?? 1)
    let margin = highest > lowest ? 0.1 * (highest - lowest) : 1
    return lowest - margin...highest + margin
  }
}

/// Cells of the density along each axis.
private let densityCells = 128
