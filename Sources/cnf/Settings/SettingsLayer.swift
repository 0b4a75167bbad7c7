import ContinuousFlows
import Yams

/// Some of the settings, as one source gave them: the flags, or a config file.
struct SettingsLayer {
  /// Keys that may be given but are not part of the settings: they are turned into others.
  enum Shorthand: String, CaseIterable {
    /// Length of fixed steps, instead of their number.
    case stepSize = "step-size"
    case evaluationStepSize = "evaluation-step-size"

    /// What it is turned into.
    var key: Settings.Key {
      switch self {
      case .stepSize: .fixedSteps
      case .evaluationStepSize: .evaluationFixedSteps
      }
    }
  }

  private(set) var nodes: [String: Node] = [:]

  init() {}

  /// The values that are not nil.
  init(
    _ values: [Settings.Key: (any NodeRepresentable)?], shorthands: [Shorthand: Double?] = [:]
  ) throws {
    for (key, value) in values {
      if let value { nodes[key.rawValue] = try value.represented() }
    }
    for (shorthand, value) in shorthands {
      if let value { nodes[shorthand.rawValue] = try value.represented() }
    }
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
      guard Self.known.contains(key) else {
        let mend = Suggestion.sentence(for: key, among: Self.known)
        throw CommandFailure(.usage, "\(path) has the unknown setting '\(key)': \(mend)")
      }
      nodes[key] = value
    }
  }

  static let known = Settings.Key.allCases.map(\.rawValue) + Shorthand.allCases.map(\.rawValue)

  func has(_ key: Settings.Key) -> Bool { nodes[key.rawValue] != nil }

  /// What is said of `key`, by itself or by a shorthand; nil: nothing.
  func words(of key: Settings.Key) -> (name: String, value: String)? {
    let names = [key.rawValue] + Shorthand.allCases.filter { $0.key == key }.map(\.rawValue)
    return names.compactMap { name in nodes[name].map { (name, Self.text(of: $0)) } }.first
  }

  /// What `other` says, says it in place of this.
  func overlaid(with other: SettingsLayer) -> SettingsLayer {
    var result = self
    // Steps by number and by length are one choice: the later layer's word replaces the earlier's.
    for shorthand in Shorthand.allCases {
      let words = [shorthand.rawValue, shorthand.key.rawValue]
      if words.contains(where: { other.nodes[$0] != nil }) { for word in words { result.nodes[word] = nil } }
    }
    result.nodes.merge(other.nodes) { _, new in new }
    return result
  }
}
