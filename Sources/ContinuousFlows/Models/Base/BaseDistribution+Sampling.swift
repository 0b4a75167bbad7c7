extension BaseDistribution {
  /// Draws samples, `[count][D]`, keyed by (seed, sample, column): sample i does not depend on `count`.
  ///
  /// - Parameter step: a further key for draws that are repeated, such as those of a training step.
  /// - Parameter identifiers: `[count]`, the keys of the samples; nil means their numbers.
  public func samples(
    count: Int, dimension: Int, seed: UInt64, step: UInt64 = 0, identifiers: [UInt64]? = nil
  ) -> StateMatrix {
    let source = RandomSource(seed: seed, stream: .base, step: step)
    var values: [Float] = []
    values.reserveCapacity(count * dimension)
    for sample in 0..<count {
      append(one: identifiers?[sample] ?? UInt64(sample), dimension: dimension, from: source, to: &values)
    }
    return StateMatrix(count: count, dimension: dimension, values: values)
  }

  private func append(one sample: UInt64, dimension: Int, from source: RandomSource, to values: inout [Float]) {
    func normal(_ column: Int) -> Double { source.normal(sample: sample, dimension: column) }
    switch self {
    case .standardNormal:
      for column in 0..<dimension { values.append(Float(normal(column))) }
    case .gaussian(let mean, let deviation):
      for column in 0..<dimension {
        values.append(Float(Double(mean[column]) + Double(deviation[column]) * normal(column)))
      }
    case .fullGaussian(let mean, let factor):
      let noise = (0..<dimension).map(normal)
      for row in 0..<dimension {
        let sum = (0...row).reduce(Double(mean[row])) { $0 + Double(factor[row * dimension + $1]) * noise[$1] }
        values.append(Float(sum))
      }
    case .uniform(let low, let high):
      for column in 0..<dimension {
        let share = source.uniform(sample: sample, dimension: column)
        values.append(Float(Double(low[column]) + share * (Double(high[column]) - Double(low[column]))))
      }
    case .mixture(let weights, let means, let deviations):
      // The noise uses words in pairs; the next word after them chooses the component.
      var rest = source.uniform(sample: sample, dimension: (dimension + 1) / 2 * 2)
      var component = 0
      while component < weights.count - 1, rest >= weights[component] {
        rest -= weights[component]
        component += 1
      }
      for column in 0..<dimension {
        let place = component * dimension + column
        values.append(Float(Double(means.values[place]) + Double(deviations.values[place]) * normal(column)))
      }
    }
  }
}
