/// A density on a grid of cells over a rectangle of the plane.
public struct DensityGrid: Equatable, Sendable {
  /// The meaning of the values of a grid.
  public enum Quantity: Equatable, Sendable {
    case density
    /// Natural logarithms of densities.
    case logDensity
  }

  public let rows: Int
  public let columns: Int
  /// The rectangle that the cells fill: columns along x, and rows along y from its lower bound upwards.
  public let x: ClosedRange<Double>
  public let y: ClosedRange<Double>
  /// The values at the centres of the cells, `[rows][columns]`; NaN if unknown.
  public let values: [Double]
  public let quantity: Quantity

  /// - Parameter values: `[rows][columns]`; row 0 is at the lower bound of `y`.
  public init(
    values: [Double], rows: Int, columns: Int, x: ClosedRange<Double>, y: ClosedRange<Double>,
    quantity: Quantity = .logDensity
  ) {
    precondition(rows >= 0 && columns >= 0, "a grid has \(rows)×\(columns) cells, must not be negative")
    precondition(
      values.count == rows * columns, "\(values.count) values do not make a grid of \(rows)×\(columns) cells")
    self.rows = rows
    self.columns = columns
    self.x = x
    self.y = y
    self.values = values
    self.quantity = quantity
  }

  /// The centres of the cells, `[rows·columns][2]`, in the order of `values`. Evaluate the density at these points.
  public static func centers(
    rows: Int, columns: Int, x: ClosedRange<Double>, y: ClosedRange<Double>
  ) -> [Double] {
    func center(_ index: Int, of count: Int, in range: ClosedRange<Double>) -> Double {
      range.lowerBound + (range.upperBound - range.lowerBound) * (Double(index) + 0.5) / Double(count)
    }
    return (0..<rows).flatMap { row in
      (0..<columns).flatMap { column in [center(column, of: columns, in: x), center(row, of: rows, in: y)] }
    }
  }

  /// The value at a position in the grid, where `across` and `up` go from 0 to 1.
  ///
  /// It is linear between the centres of cells. If one of the four cells around it is not finite, it is that of the
  /// nearest cell.
  func value(across: Double, up: Double) -> Double {
    func split(_ fraction: Double, _ count: Int) -> (low: Int, high: Int, share: Double) {
      let position = min(max(fraction * Double(count) - 0.5, 0), Double(count - 1))
      let low = Int(position)
      return (low, min(low + 1, count - 1), position - Double(low))
    }
    let (column, row) = (split(across, columns), split(up, rows))
    func interpolate(_ low: Double, _ high: Double, _ share: Double) -> Double { low + share * (high - low) }
    let value = interpolate(
      interpolate(values[row.low * columns + column.low], values[row.low * columns + column.high], column.share),
      interpolate(values[row.high * columns + column.low], values[row.high * columns + column.high], column.share),
      row.share)
    if value.isFinite { return value }
    return values[(row.share < 0.5 ? row.low : row.high) * columns + (column.share < 0.5 ? column.low : column.high)]
  }

  /// The default range of values for the colours. Densities begin at 0. Log-densities show the upper eight nats only,
  /// because the far tails would otherwise take most of the colours.
  var shownRange: ClosedRange<Double> {
    let finite = values.lazy.filter { abs($0) < 1e300 }
    guard let highest = finite.max(), let lowest = finite.min() else { return 0...1 }
    switch quantity {
    case .density: return highest > 0 ? 0...highest : 0...1
    case .logDensity: return max(lowest, highest - 8)...highest
    }
  }
}
