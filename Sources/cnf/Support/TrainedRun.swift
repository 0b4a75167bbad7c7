import ContinuousFlows
import FlowIO
import Foundation

/// A model that has been trained, with the settings it was trained by.
struct TrainedRun {
  /// As the user named it.
  let path: String
  let model: any RunModel
  /// Those of the run's `config.yaml`, or the defaults for a file on its own; the call's flags are over them.
  let settings: Settings
  /// Nil for a file on its own.
  let folder: RunFolder?

  /// - Parameter overrides: settings that the call gives.
  init(path: String, overrides: SettingsLayer = SettingsLayer()) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CommandFailure(
        .badData, "there is no run at \(path): check the path, or train one with cnf train --out \(path)")
    }
    let base: Settings
    if isFolder.boolValue {
      let folder = RunFolder(path: path)
      base = try Settings.read(from: folder)
      guard FileManager.default.fileExists(atPath: folder.bestPath) else {
        throw CommandFailure(
          .badData,
          "\(path) holds no flow yet, since its run was stopped before the first checkpoint: go on with it by "
            + "cnf train --resume \(path)")
      }
      model = try base.modelKind.type.init(contentsOf: folder.bestPath)
      self.folder = folder
    } else {
      let kind = try ModelKind(ofFileAt: path)
      base = .defaults(for: .file(path: path), model: kind)
      model = try kind.type.init(contentsOf: path)
      folder = nil
    }
    self.path = path
    guard !overrides.has(.targets) || model is NeuralODEModel else {
      throw CommandFailure(
        .usage,
        "--targets is for models with outputs, and \(path) holds another model (\(type(of: model).noun)): leave it out")
    }
    do {
      try base.refuseSolverFlags(in: overrides)
      settings = try overrides.resolved(over: base, origin: "the command line")
      try settings.validate()
      if overrides.has(.evaluationSolver),
        let remark = try settings.remarkOnPartitioned([.evaluationSolver], isKnown: folder != nil)
      {
        Terminal.remark("cnf: \(Settings.inOneSolversWords(remark))")
      }
    } catch let failure as CommandFailure {
      throw CommandFailure(failure.kind, Settings.inOneSolversWords(failure.message))
    }
  }

  /// A run that has just been trained.
  init(folder: RunFolder, model: any RunModel, settings: Settings) {
    path = folder.path
    self.folder = folder
    self.model = model
    self.settings = settings
  }

  /// The last part of its path.
  var name: String { URL(fileURLWithPath: path).lastPathComponent }

  /// Whether its steps of training solve something, so that the number of evaluations is worth a look.
  var hasSolves: Bool {
    if let model = model as? NeuralODEModel { return model.residualSteps == nil }
    return model.continuousFlow != nil && settings.objective == Objective.likelihood
  }

  /// The lines of its metrics.
  func metrics() throws -> [JSONValue] {
    guard let folder else {
      throw CommandFailure(.usage, "\(path) is a flow without its run, so there is no training to plot")
    }
    return try MetricsLog.read(folder.metricsPath)
  }

  /// The model as a continuous flow; a failure that names what was asked where it is another.
  func flow(for purpose: String) throws -> ContinuousFlow {
    guard let flow = model.continuousFlow else { throw unsuited(purpose, wants: "a continuous flow") }
    return flow
  }

  /// The model as a map between data and base, likewise.
  func map(for purpose: String) throws -> any InvertibleFlow {
    guard let map = model.invertibleFlow else { throw unsuited(purpose, wants: "an invertible map") }
    return map
  }

  /// The model as a density, likewise.
  func density(for purpose: String) throws -> any RunModel & DensityModel {
    guard let density = model as? any RunModel & DensityModel else { throw unsuited(purpose, wants: "a density") }
    return density
  }

  /// The model as one with outputs, likewise.
  func outputs(for purpose: String) throws -> NeuralODEModel {
    guard let model = model as? NeuralODEModel else { throw unsuited(purpose, wants: "a classifier or regression") }
    return model
  }

  private func unsuited(_ purpose: String, wants: String) -> CommandFailure {
    CommandFailure(
      .usage,
      "cnf \(purpose) wants \(wants), and \(path) holds another model (\(type(of: model).noun)): name another run")
  }

  /// Data named in the call, or the held-out part of the run's own.
  ///
  /// - Returns: with the rest, to fit a baseline to, where the data are the run's own.
  func heldOut(
    instead selection: DataSelection, context: ContextFlags
  ) throws -> (dataset: Dataset, fitted: Dataset?) {
    if let dataset = try selection.load(for: model, context: context, prepared: settings.prepared) {
      return (dataset, nil)
    }
    guard folder != nil else {
      throw CommandFailure(
        .usage, "\(path) is a flow without its run, so its data are not known: name some with --data")
    }
    let split = try settings.loadSplit()
    return (split.test, split.fitted)
  }
}
