import FieldPrograms

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `z = (x − shift) / scale`, component by component: what stands between the data and the flow.
///
/// `log p(x) = log p(z) + logDeterminant`.
public struct DataTransform: Sendable, Equatable, Codable {
  /// `[D]`.
  public var shift: [Float]
  /// `[D]`, positive.
  public var scale: [Float]

  public init(shift: [Float], scale: [Float]) {
    precondition(shift.count == scale.count, "\(shift.count) shifts and \(scale.count) scales")
    precondition(scale.allSatisfy { $0 > 0 && $0.isFinite }, "scales must be positive and finite")
    self.shift = shift
    self.scale = scale
  }

  public static func identity(dimension: Int) -> DataTransform {
    DataTransform(shift: Array(repeating: 0, count: dimension), scale: Array(repeating: 1, count: dimension))
  }

  /// Takes `points` to mean 0 and variance 1, column by column; a constant column keeps scale 1.
  public static func standardising(_ points: SampleMatrix) -> DataTransform {
    let dimension = points.dimension
    guard points.count > 0 else { return .identity(dimension: dimension) }
    let count = Double(points.count)
    var mean = Array(repeating: 0.0, count: dimension)
    var variance = mean
    for (index, value) in points.values.enumerated() { mean[index % dimension] += Double(value) / count }
    for (index, value) in points.values.enumerated() {
      let difference = Double(value) - mean[index % dimension]
      variance[index % dimension] += difference * difference / count
    }
    // Below the rounding of Float the column is constant, whatever its computed variance says.
    let scale = zip(mean, variance).map { mean, variance -> Float in
      let deviation = Float(variance.squareRoot())
      return deviation > Float(abs(mean)).ulp && deviation.isFinite ? deviation : 1
    }
    return DataTransform(shift: mean.map { Float($0) }, scale: scale)
  }

  public var dimension: Int { shift.count }

  /// z of x: `values` is `[count][D]`.
  public func forward(_ values: [Float]) -> [Float] {
    precondition(values.count % dimension == 0, "\(values.count) values in rows of \(dimension)")
    return values.indices.map { (values[$0] - shift[$0 % dimension]) / scale[$0 % dimension] }
  }

  /// x of z: `values` is `[count][D]`.
  public func inverse(_ values: [Float]) -> [Float] {
    precondition(values.count % dimension == 0, "\(values.count) values in rows of \(dimension)")
    return values.indices.map { values[$0] * scale[$0 % dimension] + shift[$0 % dimension] }
  }

  /// `log |det ∂z/∂x| = −Σ log scale`.
  public var logDeterminant: Double {
    -scale.reduce(0) { $0 + log(Double($1)) }
  }
}
