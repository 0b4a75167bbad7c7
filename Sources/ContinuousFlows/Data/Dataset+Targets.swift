import FieldPrograms

extension Dataset {
  /// The same samples with the last `count` columns as targets in place of points.
  ///
  /// - Throws: `DataError.noColumnsLeft` unless a column stays.
  public func withTargets(lastColumns count: Int) throws(DataError) -> Dataset {
    guard 1..<dimension ~= count else {
      throw .noColumnsLeft(source: name, columns: dimension, taken: count)
    }
    let kept = dimension - count
    var (values, last): ([Float], [Float]) = ([], [])
    for row in 0..<self.count {
      values += points[row].prefix(kept)
      last += points[row].suffix(count)
    }
    return Dataset(
      name: name, points: SampleMatrix(count: self.count, dimension: kept, values: values), labels: labels,
      identifiers: identifiers, context: context,
      targets: SampleMatrix(count: self.count, dimension: count, values: last))
  }

  /// The same samples with the last column as their classes, which are whole numbers from 0 to 255.
  ///
  /// - Throws: `DataError.notALabel` for another number; `.noColumnsLeft` unless a column stays.
  public func withLabelsInLastColumn() throws(DataError) -> Dataset {
    let split = try withTargets(lastColumns: 1)
    var labels: [UInt8] = []
    for (row, value) in (split.targets?.values ?? []).enumerated() {
      guard let label = UInt8(exactly: value) else {
        throw .notALabel(source: name, row: row, value: "\(value)")
      }
      labels.append(label)
    }
    return Dataset(name: name, points: split.points, labels: labels, identifiers: identifiers, context: context)
  }

  /// The same samples with levels as they are, undisturbed by noise: what a classifier or regression sees of them.
  public var withoutNoise: Dataset {
    Dataset(name: name, points: points, labels: labels, identifiers: identifiers, context: context, targets: targets)
  }
}
