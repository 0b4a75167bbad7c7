import CLibrary

/// What a model says of samples.
public struct Predictions: Sendable, Equatable {
  /// The head's outputs `[count][outputs]`: of a regression in the targets' units; NaN where the status is not ok.
  public let outputs: SampleMatrix
  public let statuses: [SampleStatus]
  /// Evaluations of the field, `[count]`.
  public let evaluations: [Int]

  /// Number of samples that have no outputs.
  public var failed: Int { statuses.count { $0 != .ok } }

  /// Of a classifier: each sample's class of the largest probability, of several the first; nil where the sample failed.
  public var classes: [Int?] {
    statuses.indices.map { sample in
      guard statuses[sample] == .ok, let largest = outputs[sample].max() else { return nil }
      return outputs[sample].firstIndex(of: largest).map { $0 - sample * outputs.dimension }
    }
  }

  /// Of a classifier: probabilities of all classes, `[count][classes]`; NaN where the sample failed.
  public var probabilities: SampleMatrix {
    let values = statuses.indices.flatMap { sample in
      Softmax.logProbabilities(outputs[sample]).map { Float(exp($0)) }
    }
    return SampleMatrix(count: outputs.count, dimension: outputs.dimension, values: values)
  }
}

extension NeuralODEModel {
  /// The outputs for samples of the data's columns. A sample's are its own: the same bits alone and in any batch.
  ///
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a programmer's error.
  public func predictions(
    for samples: SampleMatrix, options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c
  ) throws -> Predictions {
    try predictions(
      for: samples, by: NeuralODENetwork(architecture, options: solverOptions(options), backend: backend))
  }

  /// As above, by a network that is there already: for many calls.
  func predictions(for samples: SampleMatrix, by network: NeuralODENetwork<Float>) throws -> Predictions {
    precondition(
      samples.dimension == dimension, "samples of \(samples.dimension) columns for a model of \(dimension)")
    let found = try network.outputs(of: transform.forward(samples.values), parameters: parameters)
    var values = found.values
    if case .regression(let targets) = task { values = targets.inverse(values) }
    return Predictions(
      outputs: SampleMatrix(count: samples.count, dimension: outputDimension, values: values),
      statuses: found.solution.statuses, evaluations: found.solution.evaluations)
  }
}
