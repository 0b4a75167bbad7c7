import ContinuousFlows
import FlowIO
import Foundation
import Yams

/// Settings in YAML: `config.yaml` of a run, and the file of --config.
extension Settings {
  private static let heading = """
    # The settings of this run: flags over config file over defaults. What 0 means, cnf train --help says.
    # cnf train --config FILE trains another run by these settings.

    """

  /// The settings of the run in `folder`.
  static func read(from folder: RunFolder) throws -> Settings {
    let path = folder.configurationPath
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.badData, "\(folder.path) holds no run: there is no config.yaml in it")
    }
    let settings = try SettingsLayer(contentsOf: path).resolved()
    try settings.checkRefusals(.always)
    return settings
  }

  func write(to folder: RunFolder) throws {
    try DurableFile.write(folder.configurationPath, Array((Self.heading + yaml).utf8))
  }

  /// One `key: value` a line.
  var yaml: String {
    get throws {
      let pairs = try SettingsRegistry.all.map { (Node($0.key), try self[key: $0.key].node) }
      return try serialize(node: .mapping(Node.Mapping(pairs)), width: -1)
    }
  }
}

extension SettingsLayer {
  /// The settings of a config file.
  init(contentsOf path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.badData, "there is no config file at \(path): check the path")
    }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(.other, "cannot read the config file \(path): check its permissions")
    }
    guard let text = String(bytes: bytes, encoding: .utf8) else {
      throw CommandFailure(.badData, "\(path) is not text in UTF-8: write the settings as 'name: value' lines")
    }
    try self.init(yaml: text, path: path)
  }

  /// The settings of a YAML file; unknown keys are errors.
  init(yaml text: String, path: String) throws {
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch {
      throw CommandFailure(.badData, "\(path) is not YAML: \(error)")
    }
    guard let root else { return }
    guard let mapping = root.mapping else {
      throw CommandFailure(.badData, "\(path) is not a list of settings: write one 'name: value' on each line")
    }
    for (keyNode, value) in mapping {
      let key = keyNode.string ?? ""
      guard SettingsRegistry.knownKeys.contains(key) else {
        let fix = Suggestion.sentence(for: key, among: SettingsRegistry.knownKeys)
        throw CommandFailure(.usage, "\(path) has the unknown setting '\(key)': \(fix)")
      }
      try set(key, text: Self.text(of: value), origin: "\(path): ")
    }
  }

  /// A YAML value as the text that a flag has for it, lists in brackets.
  private static func text(of node: Node) -> String {
    if let scalar = node.scalar { return scalar.string }
    if let sequence = node.sequence { return "[\(sequence.map(text).joined(separator: ", "))]" }
    return "a mapping"
  }
}
