import ContinuousFlows
import FlowIO
import Foundation

/// A model that has been trained, with the settings it was trained by.
struct TrainedRun {
  /// As the user named it.
  let path: String
  let model: any RunModel
  /// Those of the run's `config.yaml`, or the defaults for a file on its own; flags of the call replace them.
  let settings: Settings
  /// Nil for a file on its own.
  let folder: RunFolder?

  /// - Parameters:
  ///   - overrides: settings that the call gives.
  ///   - stateType: of solves for densities, if the call gives it.
  init(path: String, overrides: SettingsLayer = SettingsLayer(), stateType: StateType? = nil) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CommandFailure(
        .badData, "there is no run at \(path): check the path, or train one with cnf train --out \(path)")
    }
    var base: Settings
    if isFolder.boolValue {
      let folder = RunFolder(path: path)
      base = try Settings.read(from: folder)
      guard FileManager.default.fileExists(atPath: folder.bestPath) else {
        throw CommandFailure(
          .badData,
          "\(path) holds no model yet, because its run was stopped before the first checkpoint: continue it with "
            + "cnf train --resume \(path)")
      }
      model = try base.model.type.init(contentsOf: folder.bestPath)
      self.folder = folder
    } else {
      let kind = try ModelKind(ofFileAt: path)
      base = Settings(defaultsFor: .file(path: path), model: kind)
      model = try kind.type.init(contentsOf: path)
      folder = nil
    }
    self.path = path
    base.isOfTrainedModel = true
    guard overrides.entry(for: "targets") == nil || base.model.features.contains(.outputs) else {
      throw CommandFailure(
        .usage,
        "--targets is for models with outputs, and \(path) holds another model (\(type(of: model).noun)): leave "
          + "--targets out")
    }
    try base.refuseUnusedByTrained(flags: overrides)
    if let stateType {
      guard model is any DensityModel else {
        throw CommandFailure(
          .usage,
          "dtype is \(stateType.rawValue), for models that are densities, and \(path) holds another model "
            + "(\(type(of: model).noun)): leave --dtype out")
      }
      base.stateType = stateType
    }
    settings = try overrides.resolved(over: base)
    try settings.checkRefusals(.always)
    if overrides.entry(for: "evaluation-rtol") != nil,
      let remark = MethodRules.remarkOnTolerance(settings, trains: false)
    {
      Terminal.remark("cnf: \(remark)")
    }
    if overrides.entry(for: "evaluation-solver") != nil,
      let remark = try MethodRules.remarkOnPartitioned(settings, trains: false, isKnown: folder != nil)
    {
      Terminal.remark("cnf: \(remark)")
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

  /// Whether training solved something, so that there are numbers of evaluations to plot.
  var hasSolves: Bool {
    settings.model.features.contains(.solver) && settings.objective.features.contains(.solves)
  }

  /// The lines of its metrics.
  func metrics() throws -> [JSONValue] {
    guard let folder else {
      throw CommandFailure(.usage, "\(path) is a model without its run, so there is no training to plot")
    }
    return try MetricsLog.read(folder.metricsPath)
  }

  // MARK: The model as what a command needs

  /// The model as a continuous flow.
  ///
  /// - Throws: a failure that names the command, for another model; likewise below.
  func flow(for command: String) throws -> ContinuousFlow {
    guard let flow = model.continuousFlow else { throw unsuited(command, needs: "a continuous flow") }
    return flow
  }

  /// The model as a flow with paths.
  func pathFlow(for command: String) throws -> any PathModel {
    guard let flow = model.pathFlow else { throw unsuited(command, needs: "a continuous flow") }
    return flow
  }

  /// The model as a map between data and base.
  func map(for command: String) throws -> any InvertibleFlow {
    guard let map = model.invertibleFlow else { throw unsuited(command, needs: "an invertible map") }
    return map
  }

  /// The model as a density.
  func density(for command: String) throws -> any RunModel & DensityModel {
    guard let density = model as? any RunModel & DensityModel else { throw unsuited(command, needs: "a density") }
    return density
  }

  /// The model as one with outputs.
  func outputs(for command: String) throws -> NeuralODEModel {
    guard let model = model as? NeuralODEModel else { throw unsuited(command, needs: "a classifier or regression") }
    return model
  }

  private func unsuited(_ command: String, needs: String) -> CommandFailure {
    CommandFailure(
      .usage,
      "cnf \(command) needs \(needs), and \(path) holds another model (\(type(of: model).noun)): name another run")
  }

  /// Data named in the call, or the held-out part of the run's own.
  ///
  /// - Returns: where the data are the run's own also the rest, to fit a baseline to.
  func heldOut(
    instead selection: DataSelection, context: ContextFlags
  ) throws -> (dataset: Dataset, fitted: Dataset?) {
    if let dataset = try selection.load(
      for: model, context: context, prepared: { try settings.model.prepare($0, settings) })
    {
      return (dataset, nil)
    }
    guard folder != nil else {
      throw CommandFailure(
        .usage, "\(path) is a model without its run, so its data are not known: name data with --data")
    }
    let split = try settings.loadSplit()
    return (split.test, split.fitted)
  }
}
