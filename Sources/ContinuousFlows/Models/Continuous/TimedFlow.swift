import CLibrary
public import FlowIO

/// A continuous flow whose end time T is trained together with its field.
///
/// The parameters are those of the field, then log T, so that T stays positive; weight decay skips log T. (FFJORD's
/// published code has such a parameter but cuts the gradient that would train it.)
public struct TimedFlow: Sendable, Equatable {
  /// The flow with its present parameters; its `endTime` is T.
  public var flow: ContinuousFlow

  public init(_ flow: ContinuousFlow) { self.flow = flow }
}

extension TimedFlow: FlowBackedModel {
  static let modelName = "timed-flow"
  private static let timeName = "log_end_time"

  /// `[P + 1]`: θ, then log T.
  public var parameters: [Float] {
    get { flow.parameters + [Float(log(flow.endTime))] }
    set {
      precondition(
        newValue.count == flow.program.parameterCount + 1,
        "\(newValue.count) parameters for a field that has \(flow.program.parameterCount) and an end time")
      flow.parameters = Array(newValue.dropLast())
      flow.endTime = exp(Double(newValue[newValue.count - 1]))
    }
  }
  public var dimension: Int { flow.dimension }
  public var transform: DataTransform { flow.transform }
  public var contextDimension: Int { flow.contextDimension }
  public var contextKind: ContextKind? { flow.contextKind }
  public var parameterNames: ParameterNames {
    ParameterNames(flow.parameterNames.entries.map { ($0.name, $0.shape) } + [(Self.timeName, [1])])
  }
  public var undecayedParameters: Range<Int>? {
    flow.program.parameterCount..<flow.program.parameterCount + 1
  }

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    try flow.metadata(kind: kind).merging([ModelFile.modelKey: Self.modelName]) { _, new in new }
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    try ModelFile.check(file, holds: Self.modelName)
    flow = try FlowMetadata.flow(in: file, kind: kind, model: Self.modelName)
    let tensor = try file.tensor(named: Self.timeName)
    guard tensor.shape == [1] else {
      throw FlowFileError.wrongShape(path: file.source, tensor: Self.timeName, found: tensor.shape, expected: [1])
    }
    let logarithm = Double(try file.floats(named: Self.timeName)[0])
    guard exp(logarithm) > 0, exp(logarithm).isFinite else {
      throw FlowFileError.notFinite(path: file.source, tensor: Self.timeName)
    }
    flow.endTime = exp(logarithm)
  }
}

/// Maximum likelihood over the field's parameters and the end time. `∂loss/∂(log T) = T · ∂loss/∂T` is the derivative
/// of the steps taken. It tends to the derivative of the exact solution, `f(z(T), T) · a(T)` plus the log-density's own
/// term (Chen et al. 2018, arXiv 1806.07366, appendix C).
public struct TimedLikelihood: TrainingObjective {
  private let likelihood: MaximumLikelihood

  /// - Throws: as `MaximumLikelihood.init`.
  public init(flow: TimedFlow, options: TrainingOptions) throws {
    likelihood = try MaximumLikelihood(flow: flow.flow, options: options)
  }

  public func gradient(of batch: TrainingBatch, model: TimedFlow) throws -> BatchGradient {
    var gradient = try likelihood.gradient(of: batch, model: model.flow)
    gradient.parameters.append(Float(model.flow.endTime * (gradient.endTime ?? 0)))
    return gradient
  }

  public func evaluate(_ model: TimedFlow, on dataset: Dataset, seed: UInt64) throws -> EvaluationResult {
    try likelihood.evaluate(model.flow, on: dataset, seed: seed)
  }
}
