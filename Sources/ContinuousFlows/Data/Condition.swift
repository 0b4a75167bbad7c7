/// What the context of a conditional flow p(x|c) is: what its field reads beside state and time.
public enum Condition: Sendable, Equatable {
  /// One of K classes, given as K numbers of which its own is 1 and the others 0. `probabilities`, `[K]`, none negative, of sum 1:
  /// how often each class comes, p(c) in Bayes' rule.
  case classes(probabilities: [Double])
  /// C numbers in their own units, which the field reads as `(c − shift) / scale`. The transform is of these alone.
  case columns(DataTransform)

  /// Classes as often as in `labels`. A label of `count` or above is a programmer's error, as are no labels.
  ///
  /// - Parameter count: of classes.
  public static func classes(_ count: Int, counting labels: [UInt8]) -> Condition {
    precondition(!labels.isEmpty && labels.allSatisfy { $0 < count }, "labels of more than \(count) classes, or none")
    var counts = [Double](repeating: 0, count: count)
    for label in labels { counts[Int(label)] += 1 }
    return .classes(probabilities: counts.map { $0 / Double(labels.count) })
  }

  /// Columns as they are in `context`, `[count][C]`, which the field reads with mean 0 and variance 1.
  public static func columns(standardising context: SampleMatrix) -> Condition {
    .columns(.standardising(context))
  }

  /// C: K of classes.
  public var contextDimension: Int {
    switch self {
    case .classes(let probabilities): probabilities.count
    case .columns(let transform): transform.dimension
    }
  }

  /// K; nil where it is not a class that is given.
  public var classCount: Int? {
    if case .classes(let probabilities) = self { probabilities.count } else { nil }
  }

  /// What the field reads of a context, both `[count][C]`.
  func seen(_ context: [Float]) -> [Float] {
    if case .columns(let transform) = self { transform.forward(context) } else { context }
  }

  /// Why it is no condition; nil where it is one.
  var problem: String? {
    switch self {
    case .columns(let transform):
      transform.marginals == nil && transform.logit == nil ? nil : "columns of a context are shifted and scaled only"
    case .classes(let probabilities):
      if probabilities.isEmpty {
        "there are no classes"
      } else if !probabilities.allSatisfy({ $0 >= 0 && $0 <= 1 }) {
        "not all probabilities lie in 0 ... 1"
      } else if abs(probabilities.reduce(0, +) - 1) > 2 * Double(probabilities.count) * Double.ulpOfOne {
        // As many roundings as there are classes, once when they were divided and once in this sum.
        "probabilities do not sum to 1"
      } else {
        nil
      }
    }
  }
}
