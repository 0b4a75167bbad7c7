import ContinuousFlows
import FlowIO
import Foundation

/// A kind of model, as `--model` names it, with everything that distinguishes it. Each kind has a file in `Kinds`, with
/// the `RunModel` that it trains.
struct ModelKind: Sendable {
  /// Every kind, in the order of lists. A new kind needs its file and its name here.
  static let all: [ModelKind] = [
    .flow, .timedFlow, .classifier, .regression, .residualNetwork, .stacked, .coupling, .affine, .linear, .hamiltonian,
    .potential, .diffusion,
  ]

  let word: String
  /// One line for lists.
  let summary: String
  let type: any RunModel.Type
  /// The features that give settings an effect.
  let features: Set<ModelFeature>
  /// Further features that the model has with some settings.
  var featuresOfSettings: @Sendable (Settings) -> Set<ModelFeature> = { _ in [] }
  /// Further features of a trained model, for which some settings have an effect only after training.
  var featuresWhenTrained: Set<ModelFeature> = []
  /// Why a feature is missing, if that helps a user.
  var reasons: [ModelFeature: String] = [:]
  /// The objectives that can train it, the usual one first.
  var objectives: [Objective] = [.likelihood]
  /// Whether other settings imply this kind if no model is given.
  var isImplied: @Sendable (SettingsLayer) -> Bool = { _ in false }
  /// Changes the defaults of a data set to suit such a model.
  var adaptDefaults: @Sendable (inout Settings, DatasetSource) -> Void = { _, _ in }
  /// What such a model cannot be trained with.
  var refusals: [Refusal] = []
  /// The data as such a model reads them, such as with targets taken off.
  var prepare: @Sendable (Dataset, Settings) throws -> Dataset = { data, _ in data }

  func features(in settings: Settings) -> Set<ModelFeature> { features.union(featuresOfSettings(settings)) }

  func uses(_ setting: any SettingDeclaration, in settings: Settings) -> Bool {
    setting.use.model.map(features(in: settings).contains) ?? true
  }

  func usesWhenTrained(_ setting: any SettingDeclaration, in settings: Settings) -> Bool {
    setting.use.model.map(features(in: settings).union(featuresWhenTrained).contains) ?? true
  }

  /// Why a setting has no effect.
  func reason(for use: SettingUse) -> String? { use.model.flatMap { reasons[$0] } }

  /// What `--model` takes.
  static var list: String { all.map { "\($0.word) (\($0.summary))" }.joined(separator: ", ") }

  /// The kind of the model in the file at `path`.
  ///
  /// - Throws: `FlowIOError` for a missing, cut or altered file; a failure for a kind that this program does not know.
  init(ofFileAt path: String) throws {
    let word = ModelFile.model(in: try SafetensorsFile(path: path))
    guard let kind = Self.all.first(where: { $0.word == word }) else {
      throw CommandFailure(
        .badData, "\(path) holds a model '\(word)', which this version does not know: use a newer swift-cnf")
    }
    self = kind
  }

  /// The kind of the model that the run in the folder at `path` trains.
  init(ofRunAt path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.badData, "there is no run at \(path) to resume: check the path, or start one with --out")
    }
    self = try Settings.read(from: RunFolder(path: path)).model
  }
}

extension ModelKind {
  init(
    _ word: String, _ summary: String, _ type: any RunModel.Type, features: Set<ModelFeature>,
    changing adapt: (inout ModelKind) -> Void = { _ in }
  ) {
    self.word = word
    self.summary = summary
    self.type = type
    self.features = features
    adapt(&self)
  }
}

extension ModelKind: SettingWord {
  static func == (a: ModelKind, b: ModelKind) -> Bool { a.word == b.word }
  static var table: [(word: String, value: ModelKind)] { all.map { ($0.word, $0) } }
}
