import ContinuousFlows
import FlowPlots

extension TransportFlow: RunModel {
  static let noun = "OT-Flow"

  var continuousFlow: ContinuousFlow? { flow }

  /// The paper's: two layers, log cosh, few steps of rk4, the exact trace, and its weights of both costs.
  static func fitDefaults(_ settings: inout Settings, to source: DatasetSource) {
    settings.hidden = source == .digits ? [64, 64] : [32, 32]
    settings.activation = Activation.logcosh.rawValue
    settings.solver = "rk4"
    settings.fixedSteps = 8
    settings.trace = Trace.exact.rawValue
    settings.transport = TransportLikelihood.defaultWeights.transport
    settings.hjb = TransportLikelihood.defaultWeights.hamiltonJacobi
  }

  static func validate(_ settings: Settings) throws {
    try settings.validatePotential()
    let widths = Set(settings.hidden)
    guard settings.hidden.count >= 2, widths.count == 1 else {
      throw CommandFailure(
        .usage,
        "hidden is \(settings.hidden), and a potential's layers are two or more of one width, such as 32,32")
    }
    guard settings.kinetic == 0, settings.frobenius == 0 else {
      throw CommandFailure(
        .usage, "model is potential, whose costs are weighed by transport and hjb: leave kinetic and frobenius out")
    }
    for (trace, key) in [(settings.trace, Settings.Key.trace), (settings.evaluationTrace, .evaluationTrace)]
    where [Trace.hutchinson, .automatic].map(\.rawValue).contains(trace) {
      throw CommandFailure(
        .usage, "\(key.rawValue) is \(trace), and model is potential, whose trace is exact: leave --\(key.rawValue) out"
      )
    }
    try settings.validateTrainingSolver()
  }

  static func untrained(for training: Dataset, settings: Settings) throws -> TransportFlow {
    try settings.validateSize(dimension: training.dimension)
    let (transform, base) = try settings.surroundings(of: training)
    return try TransportFlow(
      dimension: training.dimension,
      architecture: TransportArchitecture(
        width: settings.hidden[0], layers: settings.hidden.count,
        activation: Activation(rawValue: settings.activation) ?? .logcosh),
      endTime: settings.endTime, seed: settings.seed, transform: transform,
      base: base)
  }

  func objective(_ settings: Settings) throws -> any TrainingObjective<TransportFlow> {
    StructuredObjective(
      try TransportLikelihood(
        flow: flow, architecture: architecture, transport: settings.transport, hamiltonJacobi: settings.hjb,
        options: settings.trainingOptions))
  }
}
