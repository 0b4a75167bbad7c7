import FieldPrograms

/// Mean and standard deviation of each column of some samples, in Double.
struct ColumnMoments {
  /// The origin of column d: its first value. Sums are over differences from it, so a column far from 0 loses nothing.
  let origin: [Double]
  /// The mean of the differences from `origin`.
  let offset: [Double]
  /// 0 for a constant column, and only for one.
  let deviation: [Double]

  /// The mean, rounded once.
  var mean: [Double] { zip(origin, offset).map { $0 + $1 } }

  /// - Precondition: there are samples, and they are finite.
  init(of samples: SampleMatrix) {
    let (values, dimension, count) = (samples.values, samples.dimension, Double(samples.count))
    let origin = Array(samples[0])
    // The largest difference scales the others, so that no sum overflows and no square vanishes.
    var range = [Double](repeating: 0, count: dimension)
    var offset = range
    var deviation = range
    for index in values.indices {
      let column = index % dimension
      range[column] = max(range[column], abs(values[index] - origin[column]))
    }
    for index in values.indices {
      let column = index % dimension
      guard range[column] > 0 else { continue }
      offset[column] += (values[index] - origin[column]) / range[column]
    }
    for column in range.indices { offset[column] *= range[column] / count }
    for index in values.indices {
      let column = index % dimension
      guard range[column] > 0 else { continue }
      let difference = (values[index] - origin[column] - offset[column]) / range[column]
      deviation[column] += difference * difference
    }
    for column in range.indices { deviation[column] = range[column] * (deviation[column] / count).squareRoot() }
    (self.origin, self.offset, self.deviation) = (origin, offset, deviation)
  }
}
