import ContinuousFlows
import FlowIO
import Foundation

/// The kinds of models, in the words of `--model`. A new one is a case, its type, and that type's `RunModel` beside it.
enum ModelKind: String, CaseIterable {
  case flow
  case timedFlow = "timed-flow"
  case classifier
  case regression
  case residualNetwork = "residual-network"
  case stacked, coupling, affine, linear
  case hamiltonian
  case potential
  case diffusion

  var type: any RunModel.Type {
    switch self {
    case .flow: ContinuousFlow.self
    case .timedFlow: TimedFlow.self
    case .classifier, .regression, .residualNetwork: NeuralODEModel.self
    case .stacked: StackedFlow.self
    case .coupling: CouplingFlow.self
    case .affine: AffineFlow.self
    case .linear: LinearFlow.self
    case .hamiltonian: HamiltonianFlow.self
    case .potential: TransportFlow.self
    case .diffusion: DiffusionModel.self
    }
  }

  /// One line for lists.
  var summary: String {
    switch self {
    case .flow: "continuous normalizing flow"
    case .timedFlow: "one whose end time is trained too"
    case .classifier: "classes by a neural ODE between dense layers"
    case .regression: "targets by a neural ODE between dense layers"
    case .residualNetwork: "either, by blocks that share their weights"
    case .stacked: "several of them in a row, --blocks"
    case .coupling: "RealNVP's coupling layers"
    case .affine: "one affine map in triangular factors"
    case .linear: "one affine map of a dense matrix"
    case .hamiltonian: "flow along Hamilton's equations of a learned energy, which keeps volumes"
    case .potential: "OT-Flow, along the gradient of a learned potential"
    case .diffusion: "diffusion model"
    }
  }

  /// The kind of the model in the file at `path`.
  ///
  /// - Throws: `FlowIOError` for a missing, cut or altered file; a failure for a kind that this program does not know.
  init(ofFileAt path: String) throws {
    let word = ModelFile.model(in: try SafetensorsFile(path: path))
    guard let kind = ModelKind(rawValue: word) else {
      throw CommandFailure(
        .badData, "\(path) holds a model '\(word)', which is not known here; a newer swift-cnf reads it")
    }
    self = kind
  }

  /// The kind of the model that the run in the folder at `path` trains.
  init(ofRunAt path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.badData, "there is no run at \(path) to resume: check the path, or begin one with --out")
    }
    self = try Settings.read(from: RunFolder(path: path)).modelKind
  }

  /// What `--model` takes.
  static var words: String { allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: ", ") }
}

extension Settings {
  /// The kind of its model; they have been validated.
  var modelKind: ModelKind { ModelKind(rawValue: model) ?? .flow }
}
