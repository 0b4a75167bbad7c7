/// A continuous flow whose field has a structure that matters to its objective or its files. Its density is that of
/// `flow`.
public protocol StructuredFlow: DensityModel {
  var flow: ContinuousFlow { get set }
}

extension StructuredFlow {
  public var parameters: [Float] {
    get { flow.parameters }
    set { flow.parameters = newValue }
  }
  public var dimension: Int { flow.dimension }
  public var transform: DataTransform { flow.transform }
  public var parameterNames: ParameterNames { flow.parameterNames }

  public func logDensities(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?
  ) throws -> LogDensities {
    try flow.logDensities(
      of: samples, options: options, backend: backend, seed: seed, identifiers: identifiers, context: context)
  }

  public func samples(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?
  ) throws -> SampleMatrix {
    try flow.samples(count: count, seed: seed, options: options, backend: backend, context: context)
  }
}

/// An objective of continuous flows, applied to a structured flow.
public struct StructuredObjective<Model: StructuredFlow>: TrainingObjective {
  private let objective: any TrainingObjective<ContinuousFlow>

  public init(_ objective: any TrainingObjective<ContinuousFlow>) { self.objective = objective }

  public func gradient(of batch: TrainingBatch, model: Model) throws -> BatchGradient {
    try objective.gradient(of: batch, model: model.flow)
  }

  public func evaluate(_ model: Model, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try objective.evaluate(model.flow, on: dataset, seed: seed)
  }
}
