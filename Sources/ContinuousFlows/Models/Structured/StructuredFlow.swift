/// A continuous flow whose field has a structure that matters to its objective or its files. Its density is that of
/// `flow`.
public protocol StructuredFlow: FlowBackedModel {
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
