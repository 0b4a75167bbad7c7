import CLibrary
import FieldPrograms

/// The transform from the data x to the flow's state z, column by column: `z = (y − shift) / scale`. y is x itself, or
/// the `logit` of x, or for dequantised data its `marginals` transform.
///
/// `log p(x) = log p(z) + log |det ∂z/∂x|`, the change of variables (Papamakarios et al. 2021, arXiv 1912.02762,
/// section 2.1).
public struct DataTransform: Sendable, Equatable, Codable {
  /// `[D]`.
  public var shift: [Float]
  /// `[D]`, positive.
  public var scale: [Float]
  public let marginals: LevelMarginals?
  public let logit: LogitTransform?

  /// At most one of `marginals` and `logit` may be given.
  public init(
    shift: [Float], scale: [Float], marginals: LevelMarginals? = nil, logit: LogitTransform? = nil
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
  public static func standardising(_ samples: SampleMatrix) -> DataTransform {
    let dimension = samples.dimension
    guard samples.count > 0 else { return .identity(dimension: dimension) }
    let count = Double(samples.count)
    var mean = Array(repeating: 0.0, count: dimension)
    var variance = mean
    for (index, value) in samples.values.enumerated() { mean[index % dimension] += Double(value) / count }
    for (index, value) in samples.values.enumerated() {
      let difference = Double(value) - mean[index % dimension]
      variance[index % dimension] += difference * difference / count
    }
    // A deviation below the rounding of Float means a constant column, whatever the computed variance.
    let scale = zip(mean, variance).map { mean, variance -> Float in
      let deviation = Float(variance.squareRoot())
      return deviation > Float(abs(mean)).ulp && deviation.isFinite ? deviation : 1
    }
    return DataTransform(shift: mean.map { Float($0) }, scale: scale)
  }

  public var dimension: Int { shift.count }

  /// The state z of x: `values` is `[count][D]`.
  public func forward(_ values: [Float]) -> [Float] {
    checkRows(values)
    let inner = marginals?.forward(values) ?? logit?.forward(values) ?? values
    return inner.indices.map { (inner[$0] - shift[$0 % dimension]) / scale[$0 % dimension] }
  }

  /// The data x of z: `values` is `[count][D]`.
  public func inverse(_ values: [Float]) -> [Float] {
    checkRows(values)
    let inner = inner(values)
    return marginals?.inverse(inner) ?? logit?.inverse(inner) ?? inner
  }

  /// `log |det ∂z/∂x|` at each row of x, `[count]`.
  public func logDeterminants(_ values: [Float]) -> [Double] {
    checkRows(values)
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
  func firstOutside(_ values: [Float]) -> Int? { marginals?.firstOutside(values) ?? logit?.firstOutside(values) }

  private var affineLogDeterminant: Double { -scale.reduce(0) { $0 + log(Double($1)) } }

  /// y of z.
  private func inner(_ values: [Float]) -> [Float] {
    values.indices.map { values[$0] * scale[$0 % dimension] + shift[$0 % dimension] }
  }

  private func checkRows(_ values: [Float]) {
    precondition(values.count % dimension == 0, "\(values.count) values in rows of \(dimension)")
  }
}
