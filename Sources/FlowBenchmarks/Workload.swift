import NeuralODE

/// A model and a batch whose training step is timed: a tanh multilayer perceptron that reads `[x, t]`.
///
/// The sizes are those of models in the literature: toy densities, tabular data of 6 and 43 columns as in FFJORD and
/// OT-Flow, and an image as one vector.
public struct Workload: Sendable, Equatable {
  public let name: String
  public let stateDimension: Int
  /// Widths of the hidden layers.
  public let hidden: [Int]
  /// Number of samples of a step.
  public let batch: Int
  /// Number of samples of a step for a quick run, of about a minute for all workloads.
  public let quickBatch: Int

  public static let all = [
    Workload(name: "W1", stateDimension: 2, hidden: [64, 64, 64], batch: 512, quickBatch: 512),
    Workload(name: "W2", stateDimension: 6, hidden: [60, 60, 60], batch: 10_000, quickBatch: 2_048),
    Workload(name: "W3", stateDimension: 43, hidden: [860, 860], batch: 1_000, quickBatch: 64),
    Workload(name: "W4", stateDimension: 784, hidden: [1_024, 1_024], batch: 256, quickBatch: 32),
    Workload(name: "W5", stateDimension: 43, hidden: [64, 64], batch: 2_048, quickBatch: 2_048),
  ]

  /// "6-60-60-60-6".
  public var layers: String {
    ([stateDimension] + hidden + [stateDimension]).map(String.init).joined(separator: "-")
  }

  /// Whether even a step of a few samples takes most of a second.
  public var isLarge: Bool { program.parameterCount > 100_000 }

  public var program: FieldProgram {
    .multilayerPerceptron(stateDimension: stateDimension, hidden: hidden, activation: .tanh)
  }

  /// Weights from N(0, 4 / columns), biases from N(0, 0.01): the field is curved, like a trained one.
  ///
  /// - Throws: `KernelError` of the random numbers, which does not happen for these sizes.
  func parameters() throws -> [Float] {
    let program = program
    var parameters = [Float](repeating: 0, count: program.parameterCount)
    for (layer, layout) in program.linearLayouts.enumerated() {
      let source = RandomSource(seed: 0, stream: .initial, step: UInt64(layer))
      let draws = try KernelRandom.normal(
        Float.self, source: source, count: layout.rows, dimension: layout.columns + 1)
      let scale = 2 / Float(layout.columns).squareRoot()
      for row in 0..<layout.rows {
        let drawn = draws[row * (layout.columns + 1)..<(row + 1) * (layout.columns + 1)]
        for (column, draw) in drawn.dropLast().enumerated() {
          parameters[layout.weightOffset + row * layout.columns + column] = scale * draw
        }
        parameters[layout.biasOffset + row] = 0.1 * drawn.last!
      }
    }
    return parameters
  }

  /// Standard normal samples; the first are the same for every `count`.
  func states(count: Int) throws -> [Float] {
    try KernelRandom.normal(source: RandomSource(seed: 0, stream: .data), count: count, dimension: stateDimension)
  }

  /// Floating-point operations of a textbook training step for one evaluation of the field and one probe: two for each
  /// weight, once for the value, once for the tangent, and twice as many in reverse. An implementation that saves work
  /// shows a higher speed.
  var nominalOperationsPerEvaluation: Double {
    let weights = program.linearLayouts.reduce(0) { $0 + $1.rows * $1.columns }
    return 2 * Double(weights) * (1 + 1 + 2 * 2)
  }
}
