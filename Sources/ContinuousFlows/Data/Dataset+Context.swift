import FieldPrograms

/// Data sets for conditional flows p(x|c).
extension Dataset {
  /// The same samples with their class as context: 1 in the column of the label, 0 in the others.
  ///
  /// - Parameter classes: number of classes K; nil means the largest label plus one.
  /// - Throws: `DataError.noLabels`; `.labelOutOfRange` for a label of K or above.
  public func conditionedOnLabels(classes: Int? = nil) throws -> Dataset {
    guard let labels, !labels.isEmpty else { throw DataError.noLabels(source: name) }
    let classes = classes ?? Int(labels.max() ?? 0) + 1
    if let row = labels.firstIndex(where: { $0 >= classes }) {
      throw DataError.labelOutOfRange(source: name, row: row, label: Int(labels[row]), classes: classes)
    }
    return conditioned(on: SampleMatrix(oneHot: labels.map { Int($0) }, classes: classes))
  }

  /// Uses the last `count` columns as context and the others as samples.
  ///
  /// - Throws: `DataError.noColumnsLeft` if no column is left for the samples. A set of levels is a precondition
  ///   failure, because its context would have levels too.
  public func conditionedOnLastColumns(_ count: Int) throws -> Dataset {
    precondition(count >= 1 && quantisation == nil && context == nil, "\(name): no columns to condition on")
    guard count < dimension else {
      throw DataError.noColumnsLeft(source: name, columns: dimension, taken: count)
    }
    let kept = dimension - count
    return Dataset(
      name: name, samples: samples.columns(0..<kept), labels: labels, identifiers: identifiers,
      context: samples.columns(kept..<dimension), targets: targets, remarks: remarks)
  }

  /// The same samples with this context, `[count][C]`, instead of any context they have.
  public func conditioned(on context: SampleMatrix?) -> Dataset {
    Dataset(
      name: name, samples: samples, quantisation: quantisation, labels: labels, identifiers: identifiers,
      context: context, targets: targets, remarks: remarks)
  }
}

extension SampleMatrix {
  /// One row for each label: 1 in the column of the label, 0 in the others. A label outside `0 ..< classes` is a
  /// precondition failure.
  public init(oneHot labels: [Int], classes: Int) {
    var values = [Double](repeating: 0, count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      precondition((0..<classes).contains(label), "class \(label) of \(classes)")
      values[row * classes + label] = 1
    }
    self.init(count: labels.count, dimension: classes, values: values)
  }

  /// A range of columns of every row.
  public func columns(_ range: Range<Int>) -> SampleMatrix {
    precondition(!range.isEmpty && range.upperBound <= dimension, "columns \(range) of \(dimension)")
    var picked: [Double] = []
    picked.reserveCapacity(count * range.count)
    for row in 0..<count {
      picked.append(contentsOf: values[row * dimension + range.lowerBound..<row * dimension + range.upperBound])
    }
    return SampleMatrix(count: count, dimension: range.count, values: picked)
  }
}
