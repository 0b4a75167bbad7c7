import ContinuousFlows

/// A kind of flow, and its training costs in addition to the likelihood.
struct TransportContender {
  let name: String
  /// Widths of a plain net; nil means OT-Flow's potential of `architecture`.
  private let hidden: [Int]?
  private let architecture: TransportArchitecture
  /// Regularisation of a plain net.
  var regularisation = Regularisation.none
  /// Cost weights of a potential; nil means maximum likelihood alone.
  private var costs: (transport: Double, hamiltonJacobi: Double)?

  /// All kinds. Equal costs have equal weights: RNODE's kinetic energy is a mean over both columns, OT-Flow's transport
  /// cost a sum.
  static func all(isWide: Bool) -> [TransportContender] {
    let (transport, hamiltonJacobi) = TransportLikelihood.defaultWeights
    let hidden = isWide ? [64, 64] : [32, 32]
    let architecture = TransportArchitecture(width: isWide ? 64 : 32)
    func plain(_ name: String, _ regularisation: Regularisation) -> TransportContender {
      TransportContender(name: name, hidden: hidden, architecture: architecture, regularisation: regularisation)
    }
    func potential(_ name: String, _ costs: (Double, Double)?) -> TransportContender {
      TransportContender(name: name, hidden: nil, architecture: architecture, costs: costs)
    }
    return [
      plain("plain", .none),
      plain("RNODE", Regularisation(kineticEnergy: 2 * transport, frobeniusNorm: 0.01)),
      plain("RNODE, a tenth of the energy", Regularisation(kineticEnergy: 0.2 * transport, frobeniusNorm: 0.001)),
      potential("potential, no costs", nil),
      potential("OT-Flow", (transport, hamiltonJacobi)),
      potential("OT-Flow, a tenth of the transport", (0.1 * transport, hamiltonJacobi)),
    ]
  }

  func flow(seed: UInt64, transform: DataTransform) throws -> ContinuousFlow {
    guard let hidden else {
      return try ContinuousFlow(dimension: 2, transport: architecture, seed: seed, transform: transform)
    }
    return ContinuousFlow(dimension: 2, hidden: hidden, seed: seed, transform: transform)
  }

  func objective(
    of flow: ContinuousFlow, options: TrainingOptions
  ) throws -> any TrainingObjective<ContinuousFlow> {
    guard let costs else { return try MaximumLikelihood(flow: flow, options: options) }
    return try TransportLikelihood(
      flow: flow, architecture: architecture, transport: costs.transport, hamiltonJacobi: costs.hamiltonJacobi,
      options: options)
  }
}
