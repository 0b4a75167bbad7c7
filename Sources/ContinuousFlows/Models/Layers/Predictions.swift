import CLibrary

/// A model's outputs for samples.
public struct Predictions: Sendable, Equatable {
  /// The head's outputs, `[count][outputs]`; for a regression in the units of the targets. NaN if the status is not ok.
  public let outputs: SampleMatrix
  public let statuses: [SampleStatus]
  /// Number of evaluations of the field, `[count]`.
  public let evaluations: [Int]

  /// Number of samples that have no outputs.
  public var failed: Int { statuses.count { $0 != .ok } }

  /// For a classifier: each sample's class of largest probability, the first of equal ones; nil if the sample failed.
  public var classes: [Int?] {
    statuses.indices.map { sample in
      guard statuses[sample] == .ok, let largest = outputs[sample].max() else { return nil }
      return outputs[sample].firstIndex(of: largest).map { $0 - sample * outputs.dimension }
    }
  }

  /// For a classifier: the probabilities of all classes, `[count][classes]`; NaN if the sample failed.
  public var probabilities: SampleMatrix {
    let values = statuses.indices.flatMap { sample in
      Softmax.logProbabilities(outputs[sample]).map { exp($0) }
    }
    return SampleMatrix(count: outputs.count, dimension: outputs.dimension, values: values)
  }
}

extension NeuralODEModel {
  /// The outputs for samples in the columns of the data. A sample's outputs have the same bits alone and in any batch.
  ///
  /// - Throws: `KernelError` for a refused option. Samples of another dimension are a precondition failure.
  public func predictions(
    for samples: SampleMatrix, options: SolverOptions = SolverOptions(trace: .none), backend: Backend = .c
  ) throws -> Predictions {
    try predictions(
      for: samples, by: NeuralODENetwork(architecture, options: solverOptions(options), backend: backend))
  }

  /// As above, with an existing network: for many calls.
  func predictions(for samples: SampleMatrix, by network: NeuralODENetwork<Float>) throws -> Predictions {
    checkDimension(of: samples)
    let found = try network.outputs(of: transform.forward(samples.values), parameters: parameters)
    let values: [Double]
    if case .regression(let targets) = task {
      values = targets.inverse(found.values)
    } else {
      values = found.values.map { Double($0) }
    }
    return Predictions(
      outputs: SampleMatrix(count: samples.count, dimension: outputDimension, values: values),
      statuses: found.solution.statuses, evaluations: found.solution.evaluations)
  }
}
