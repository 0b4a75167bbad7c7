/// The kind of context c of a conditional flow p(x|c), which its field reads together with state and time.
public enum ContextKind: Sendable, Equatable {
  /// One of K classes, as K columns with a 1 for the sample's class and 0 for the others. `probabilities`, `[K]`, is
  /// the frequency of each class, p(c) in Bayes' rule: not negative, of sum 1.
  case classes(probabilities: [Double])
  /// C columns in their own units, which the field reads as `(c − shift) / scale`. This transform is separate from that
  /// of the data.
  case columns(DataTransform)

  /// Classes with their frequencies in `labels`. A label of `count` or above is a precondition failure, as are no
  /// labels.
  ///
  /// - Parameter count: number of classes.
  public static func classes(_ count: Int, counting labels: [UInt8]) -> ContextKind {
    precondition(!labels.isEmpty && labels.allSatisfy { $0 < count }, "labels of more than \(count) classes, or none")
    var counts = [Double](repeating: 0, count: count)
    for label in labels { counts[Int(label)] += 1 }
    return .classes(probabilities: counts.map { $0 / Double(labels.count) })
  }

  /// Columns like those of `context`, `[count][C]`, which the field reads with mean 0 and variance 1.
  public static func columns(standardising context: SampleMatrix) -> ContextKind {
    .columns(.standardising(context))
  }

  /// C, the number of columns; K for classes.
  public var contextDimension: Int {
    switch self {
    case .classes(let probabilities): probabilities.count
    case .columns(let transform): transform.dimension
    }
  }

  /// K; nil if the context is not a class.
  public var classCount: Int? {
    if case .classes(let probabilities) = self { probabilities.count } else { nil }
  }

  /// Row number of the first row of `context`, `[count][C]`, that is not of this kind: for classes, a row that is not 1
  /// in one column and 0 in the others. nil if there is none.
  public func firstMisfit(in context: SampleMatrix) -> Int? {
    guard case .classes = self else { return nil }
    return (0..<context.count).first { row in
      context[row].contains { $0 != 0 && $0 != 1 } || context[row].reduce(0, +) != 1
    }
  }

  /// The context as the field reads it, from the context in its own units; both `[count][C]`.
  func seen(_ context: [Double]) -> [Float] {
    if case .columns(let transform) = self { transform.forward(context) } else { context.map { Float($0) } }
  }

  /// Why it is not valid; nil when it is.
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
        // One rounding for each class in its division, and one for each in this sum.
        "probabilities do not sum to 1"
      } else {
        nil
      }
    }
  }
}
