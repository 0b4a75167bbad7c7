import ContinuousFlows
import FlowIO
import Foundation

/// A flow that has been trained, with the settings it was trained by.
struct TrainedRun {
  /// As the user named it.
  let path: String
  let flow: ContinuousFlow
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
      flow = try ContinuousFlow(contentsOf: folder.bestPath)
      self.folder = folder
    } else {
      base = .defaults(for: .file(path: path))
      flow = try ContinuousFlow(contentsOf: path)
      folder = nil
    }
    self.path = path
    settings = try overrides.resolved(over: base, origin: "the command line")
    try settings.validate()
  }

  /// A run that has just been trained.
  init(folder: RunFolder, flow: ContinuousFlow, settings: Settings) {
    path = folder.path
    self.folder = folder
    self.flow = flow
    self.settings = settings
  }

  /// Data named in the call, or the held-out part of the run's own.
  ///
  /// - Returns: with the rest, to fit a baseline to, where the data are the run's own.
  func heldOut(instead selection: DataSelection) throws -> (dataset: Dataset, fitted: Dataset?) {
    if let dataset = try selection.load(for: flow) { return (dataset, nil) }
    guard folder != nil else {
      throw CommandFailure(
        .usage, "\(path) is a flow without its run, so its data are not known: name some with --data")
    }
    let split = try settings.loadSplit()
    return (split.test, split.fitted)
  }
}
