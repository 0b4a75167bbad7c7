import FlowIO

extension DataTransform {
  /// Shift and scale alone, as the keys `name.shift` and `name.scale`, and `name.dtype` with their type.
  ///
  /// Files without `name.dtype` are older: they hold floats, whose shortest text a Double would read as another number.
  func affineMetadata(_ name: String) -> [String: String] {
    [
      "\(name).shift": shift.metadataText, "\(name).scale": scale.metadataText, "\(name).dtype": Self.doubleType,
    ]
  }

  /// The shift and scale of `columns` columns that `file` describes by these keys.
  init(affine name: String, in file: SafetensorsFile, columns: Int) throws(FlowFileError) {
    let key = "\(name).dtype"
    func numbers(_ key: String) throws(FlowFileError) -> [Double] {
      guard file.metadata["\(name).dtype"] == nil else { return try file.numbers(key, count: columns, Double.self) }
      return try file.numbers(key, count: columns, Float.self).map { Double($0) }
    }
    guard [nil, Self.doubleType].contains(file.metadata[key]) else {
      throw .metadata(path: file.source, key: key, problem: "is not \(Self.doubleType)")
    }
    let (shift, scale) = (try numbers("\(name).shift"), try numbers("\(name).scale"))
    guard scale.allSatisfy({ $0 > 0 }) else {
      throw .metadata(path: file.source, key: "\(name).scale", problem: "not all scales are positive")
    }
    self.init(shift: shift, scale: scale)
  }

  private static let doubleType = "float64"

  /// The transform in a file's metadata: numbers in the shortest decimal form that reads back to the same bits.
  var metadata: [String: String] {
    var text = affineMetadata("transform")
    if let marginals {
      text["transform.levels"] = "\(marginals.levels)"
      text["transform.probabilities"] = marginals.probabilities.metadataText
    }
    if let logit { text["transform.logit_alpha"] = "\(logit.alpha)" }
    return text
  }

  /// The transform of `dimension` columns that `file` describes.
  init(in file: SafetensorsFile, dimension: Int) throws {
    let affine = try DataTransform(affine: "transform", in: file, columns: dimension)
    let (shift, scale) = (affine.shift, affine.scale)
    let marginals = try Self.marginals(in: file, dimension: dimension)
    let key = "transform.logit_alpha"
    guard file.metadata[key] != nil else {
      self.init(shift: shift, scale: scale, marginals: marginals)
      return
    }
    let alpha = try file.number(key, Double.self)
    guard LogitTransform.isValid(alpha), marginals == nil else {
      throw FlowFileError.metadata(
        path: file.source, key: key,
        problem: marginals == nil ? "\(alpha) is not above 0 and below 0.5" : "does not go with transform.levels")
    }
    self.init(shift: shift, scale: scale, logit: LogitTransform(alpha: alpha))
  }

  private static func marginals(in file: SafetensorsFile, dimension: Int) throws -> LevelMarginals? {
    guard file.metadata["transform.levels"] != nil else { return nil }
    let levels = try file.number("transform.levels", Int.self)
    let (count, overflow) = levels.multipliedReportingOverflow(by: dimension)
    guard levels >= 2, !overflow else {
      throw FlowFileError.metadata(path: file.source, key: "transform.levels", problem: "\(levels) is out of range")
    }
    let probabilities = try file.numbers("transform.probabilities", count: count, Double.self)
    guard probabilities.allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw FlowFileError.metadata(
        path: file.source, key: "transform.probabilities", problem: "not all lie between 0 and 1")
    }
    // One rounding for each level in its division, and one for each in this sum.
    let rounding = 2 * Double(levels) * Double.ulpOfOne
    for column in stride(from: 0, to: count, by: levels) {
      guard abs(probabilities[column..<column + levels].reduce(0, +) - 1) <= rounding else {
        throw FlowFileError.metadata(
          path: file.source, key: "transform.probabilities", problem: "a column's do not sum to 1")
      }
    }
    return LevelMarginals(levels: levels, probabilities: probabilities)
  }
}
