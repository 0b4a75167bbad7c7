import FieldPrograms

/// Sets that a conditional flow p(x|c) is trained on: samples with what is known of them.
extension Dataset {
  /// The same samples, each with its class as context: 1 in the column of its label, 0 in the others.
  ///
  /// - Parameter classes: how many there are, K; nil: the largest label and 1.
  /// - Throws: `DataError.noLabels`; `.labelOutOfRange` for a label of K or above.
  public func conditionedOnLabels(classes: Int? = nil) throws -> Dataset {
    guard let labels, !labels.isEmpty else { throw DataError.noLabels(source: name) }
    let classes = classes ?? Int(labels.max() ?? 0) + 1
    if let row = labels.firstIndex(where: { $0 >= classes }) {
      throw DataError.labelOutOfRange(source: name, row: row, label: Int(labels[row]), classes: classes)
    }
    return conditioned(on: SampleMatrix(oneHot: labels.map { Int($0) }, classes: classes))
  }

  /// The set whose samples are all columns but the last `count`, which are their context.
  ///
  /// - Throws: `DataError.noColumnsLeft` where nothing is left to be a sample. A set of levels is a programmer's error: they
  ///   would be the levels of the context too.
  public func conditionedOnLastColumns(_ count: Int) throws -> Dataset {
    precondition(count >= 1 && quantisation == nil && context == nil, "\(name): no columns to condition on")
    guard count < dimension else {
      throw DataError.noColumnsLeft(source: name, columns: dimension, taken: count)
    }
    let kept = dimension - count
    return Dataset(
      name: name, points: points.columns(0..<kept), labels: labels, identifiers: identifiers,
      context: points.columns(kept..<dimension), targets: targets)
  }

  /// The same samples with this context, `[count][C]`, in place of any that they have.
  public func conditioned(on context: SampleMatrix?) -> Dataset {
    Dataset(
      name: name, points: points, quantisation: quantisation, labels: labels, identifiers: identifiers,
      context: context, targets: targets)
  }
}

extension SampleMatrix {
  /// A row for each of `labels`: 1 in its own column, 0 in the others of `classes`. A label beyond is a programmer's error.
  public init(oneHot labels: [Int], classes: Int) {
    var values = [Float](repeating: 0, count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      precondition((0..<classes).contains(label), "class \(label) of \(classes)")
      values[row * classes + label] = 1
    }
    self.init(count: labels.count, dimension: classes, values: values)
  }

  /// Neighbouring columns of every row.
  public func columns(_ range: Range<Int>) -> SampleMatrix {
    precondition(!range.isEmpty && range.upperBound <= dimension, "columns \(range) of \(dimension)")
    var picked: [Float] = []
    picked.reserveCapacity(count * range.count)
    for row in 0..<count {
      picked.append(contentsOf: values[row * dimension + range.lowerBound..<row * dimension + range.upperBound])
    }
    return SampleMatrix(count: count, dimension: range.count, values: picked)
  }
}
