import ContinuousFlows
import FlowIO
import Foundation
import Yams

extension Settings {
  /// What `config.yaml` begins with.
  private static let heading = """
    # The settings of this run, resolved: flags over config file over defaults. 0 stands for none, off or all there are.
    # cnf train --config takes this file to train such a flow again.

    """

  /// The settings of the run in `folder`.
  static func read(from folder: RunFolder) throws -> Settings {
    let path = folder.configurationPath
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(.badData, "\(folder.path) holds no run: there is no config.yaml in it")
    }
    let layer = try SettingsLayer(contentsOf: path)
    return try layer.resolved(origin: path)
  }

  func write(to folder: RunFolder) throws {
    let text = try serialize(node: Self.tidied(YAMLEncoder().encode(self)), width: -1)
    try DurableFile.write(folder.configurationPath, Array((Self.heading + text).utf8))
  }

  /// The encoder's lines with numbers in their shortest form, 1e-05 rather than 1.0000000000000001e-05, and lists on one
  /// line.
  private static func tidied(_ yaml: String) throws -> Node {
    guard var mapping = try compose(yaml: yaml)?.mapping else { return Node("") }
    for (key, value) in mapping {
      if case .sequence(var sequence) = value {
        sequence.style = .flow
        mapping[key] = .sequence(sequence)
      } else if value.bool == nil, value.int == nil, let number = value.float {
        mapping[key] = Node(number.description)
      }
    }
    return .mapping(mapping)
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
}
