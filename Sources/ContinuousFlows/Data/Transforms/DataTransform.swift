import CLibrary
import FieldPrograms

/// The transform from the data x to the flow's state z, column by column: `z = (y − shift) / scale`. y is x itself, or
/// the `logit` of x, or for dequantised data its `marginals` transform.
///
/// `log p(x) = log p(z) + log |det ∂z/∂x|`, the change of variables (Papamakarios et al. 2021, arXiv 1912.02762,
/// section 2.1).
///
/// x and every number of the transform are doubles. z is computed in Double and rounded once, to the float that solves
/// read, so columns far from 0 (dates, times, counters) keep their digits.
public struct DataTransform: Sendable, Equatable, Codable {
  /// `[D]`.
  public var shift: [Double]
  /// `[D]`, positive.
  public var scale: [Double]
  public let marginals: LevelMarginals?
  public let logit: LogitTransform?

  /// At most one of `marginals` and `logit` may be given.
  public init(
    shift: [Double], scale: [Double], marginals: LevelMarginals? = nil, logit: LogitTransform? = nil
  ) {
    precondition(shift.count == scale.count, "\(shift.count) shifts and \(scale.count) scales")
    precondition(scale.allSatisfy { $0 > 0 && $0.isFinite }, "scales must be positive and finite")
    precondition(
      marginals.map { $0.dimension == shift.count } ?? true, "marginals and shifts of different numbers of columns")
    precondition(marginals == nil || logit == nil, "a transform by marginals and by the logit")
    self.shift = shift
    self.scale = scale
    self.marginals = marginals
    self.logit = logit
  }

  /// The logit, followed by standardising: the logits of `samples`, `[count][D]`, get mean 0 and variance 1.
  public static func logit(_ logit: LogitTransform, standardising samples: SampleMatrix) -> DataTransform {
    let logits = SampleMatrix(count: samples.count, dimension: samples.dimension, values: logit.forward(samples.values))
    let moments = standardising(logits)
    return DataTransform(shift: moments.shift, scale: moments.scale, logit: logit)
  }

  /// Maps every column to the standard normal by its distribution of levels.
  public static func marginals(_ marginals: LevelMarginals) -> DataTransform {
    DataTransform(
      shift: Array(repeating: 0, count: marginals.dimension), scale: Array(repeating: 1, count: marginals.dimension),
      marginals: marginals)
  }

  public static func identity(dimension: Int) -> DataTransform {
    DataTransform(shift: Array(repeating: 0, count: dimension), scale: Array(repeating: 1, count: dimension))
  }

  /// Standardises: `samples` get mean 0 and variance 1, column by column; a constant column keeps scale 1.
  ///
  /// The shift is the mean to within 2⁻²¹ of the deviation: it is rounded to a multiple of a power of two. Moving a
  /// column by a multiple of that power, such as 2³⁰ for a deviation of 1, then changes no bit of z.
  public static func standardising(_ samples: SampleMatrix) -> DataTransform {
    guard samples.count > 0 else { return .identity(dimension: samples.dimension) }
    let moments = ColumnMoments(of: samples)
    let shift = moments.deviation.indices.map { column -> Double in
      let (origin, offset) = (moments.origin[column], moments.offset[column])
      guard moments.deviation[column] > 0 else { return origin }
      let unit = max(moments.deviation[column].binade * 0x1p-20, .leastNonzeroMagnitude)
      // Of the origin, only what lies between two multiples takes part in the rounding.
      let rest = origin.remainder(dividingBy: unit)
      return origin - rest + ((rest + offset) / unit).rounded() * unit
    }
    return DataTransform(shift: shift, scale: moments.deviation.map { $0 > 0 ? $0 : 1 })
  }

  public var dimension: Int { shift.count }

  /// The state z of x: `values` is `[count][D]`. It is rounded once, from Double.
  public func forward(_ values: [Double]) -> [Float] {
    checkRows(values.count)
    let inner = marginals?.forward(values) ?? logit?.forward(values) ?? values
    return inner.indices.map { Float((inner[$0] - shift[$0 % dimension]) / scale[$0 % dimension]) }
  }

  /// The data x of z: `values` is `[count][D]`.
  public func inverse(_ values: [Float]) -> [Double] {
    checkRows(values.count)
    let inner = inner(values)
    return marginals?.inverse(inner) ?? logit?.inverse(inner) ?? inner
  }

  /// `log |det ∂z/∂x|` at each row of x, `[count]`.
  public func logDeterminants(_ values: [Double]) -> [Double] {
    checkRows(values.count)
    guard
      let terms = marginals?.logDeterminants(values) ?? logit?.logDeterminants(values, dimension: dimension)
    else { return Array(repeating: affineLogDeterminant, count: values.count / dimension) }
    return terms.map { $0 + affineLogDeterminant }
  }

  /// The same at the x of each row of z, `[count]` from `[count][D]`, without the rounding of an x near the end of a
  /// range.
  func logDeterminants(ofLatent values: [Float]) -> [Double] {
    guard let logit else { return logDeterminants(inverse(values)) }
    return logit.logDeterminants(ofLogits: inner(values), dimension: dimension).map { $0 + affineLogDeterminant }
  }

  /// Index of the first of `values`, `[count][D]` of x, at which there is no density; nil if there is none.
  func firstOutside(_ values: [Double]) -> Int? { marginals?.firstOutside(values) ?? logit?.firstOutside(values) }

  private var affineLogDeterminant: Double { -scale.reduce(0) { $0 + log($1) } }

  /// y of z.
  private func inner(_ values: [Float]) -> [Double] {
    values.indices.map { Double(values[$0]) * scale[$0 % dimension] + shift[$0 % dimension] }
  }

  private func checkRows(_ count: Int) {
    precondition(count % dimension == 0, "\(count) values in rows of \(dimension)")
  }
}
