import FieldPrograms

extension Dataset {
  /// The same samples without the last `count` columns, which become the targets.
  ///
  /// - Throws: `DataError.noColumnsLeft` if no column is left.
  public func withTargets(lastColumns count: Int) throws(DataError) -> Dataset {
    guard 1..<dimension ~= count else {
      throw .noColumnsLeft(source: name, columns: dimension, taken: count)
    }
    let kept = dimension - count
    var (values, last): ([Double], [Double]) = ([], [])
    for row in 0..<self.count {
      values += samples[row].prefix(kept)
      last += samples[row].suffix(count)
    }
    return Dataset(
      name: name, samples: SampleMatrix(count: self.count, dimension: kept, values: values), labels: labels,
      identifiers: identifiers, context: context,
      targets: SampleMatrix(count: self.count, dimension: count, values: last), remarks: remarks)
  }

  /// The same samples without the last column, which becomes the labels: whole numbers from 0 to 255.
  ///
  /// - Throws: `DataError.notALabel` for another number; `.noColumnsLeft` if no column is left.
  public func withLabelsInLastColumn() throws(DataError) -> Dataset {
    let split = try withTargets(lastColumns: 1)
    var labels: [UInt8] = []
    for (row, value) in (split.targets?.values ?? []).enumerated() {
      guard let label = UInt8(exactly: value) else {
        throw .notALabel(source: name, row: row, value: "\(value)")
      }
      labels.append(label)
    }
    return Dataset(
      name: name, samples: split.samples, labels: labels, identifiers: identifiers, context: context,
      remarks: remarks)
  }

  /// The same samples with their levels as plain numbers, without noise: the input of a classifier or regression.
  public var withoutNoise: Dataset {
    Dataset(
      name: name, samples: samples, labels: labels, identifiers: identifiers, context: context, targets: targets,
      remarks: remarks)
  }
}
