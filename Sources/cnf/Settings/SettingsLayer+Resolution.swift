import ContinuousFlows
import Yams

extension SettingsLayer {
  /// This layer over the defaults of its data set.
  ///
  /// - Parameter origin: what to call the source in messages.
  func resolved(origin: String) throws -> Settings {
    guard let data = nodes[Settings.Key.data.rawValue]?.string, !data.isEmpty else {
      throw CommandFailure(
        .usage,
        "there is nothing to train on: name it with --data, such as --data pinwheel (cnf datasets lists the names)")
    }
    let source = try DatasetSource(data)
    // A word that is none is found when the settings are validated.
    let model = ModelKind(rawValue: nodes[Settings.Key.model.rawValue]?.string ?? "") ?? impliedModel
    let settings = try resolved(over: .defaults(for: source, model: model), origin: origin)
    try settings.validate()
    return settings
  }

  /// Where no model is named: that of an objective or a number of blocks that is one model's alone.
  private var impliedModel: ModelKind {
    guard !has(.model) else { return .flow }
    if nodes[Settings.Key.objective.rawValue]?.string == Objective.scoreMatching { return .diffusion }
    return nodes[Settings.Key.blocks.rawValue]?.int ?? 1 > 1 ? .stacked : .flow
  }

  /// This layer over `base`, which a choice that excludes another is taken out of first.
  func resolved(over base: Settings, origin: String) throws -> Settings {
    var base = base
    if has(.seconds) != has(.steps) {
      base.seconds = 0
      base.steps = 0
    }
    if (has(.rtol) || has(.atol)) && !has(.fixedSteps) { base.fixedSteps = 0 }
    if (has(.evaluationRtol) || has(.evaluationAtol)) && !has(.evaluationFixedSteps) { base.evaluationFixedSteps = 0 }
    var settings = try decoded(over: base, origin: origin)
    if let steps = try count(of: .stepSize, endTime: settings.endTime) { settings.fixedSteps = steps }
    if let steps = try count(of: .evaluationStepSize, endTime: settings.endTime) {
      settings.evaluationFixedSteps = steps
    }
    return settings
  }

  /// The number of equal steps that a length comes to; nil where none is given.
  private func count(of shorthand: Shorthand, endTime: Double) throws -> Int? {
    guard let node = nodes[shorthand.rawValue] else { return nil }
    guard !has(shorthand.key) else {
      throw CommandFailure(
        .usage,
        "\(shorthand.key.rawValue) and \(shorthand.rawValue) exclude each other: give the number of steps or "
          + "their length")
    }
    guard let length = node.float, length > 0, length.isFinite, endTime / length < 1e6 else {
      throw CommandFailure(
        .usage, "\(shorthand.rawValue) is \(Self.text(of: node)), must be a positive number such as 0.125")
    }
    // A hair less than the quotient, so that 1 / 0.1 makes ten steps and not eleven.
    return max(1, Int((endTime / length - 1e-9).rounded(.up)))
  }

  private func decoded(over base: Settings, origin: String) throws -> Settings {
    let baseNode = try YAMLEncoder().encode(base)
    guard var mapping = try compose(yaml: baseNode)?.mapping else { return base }
    for key in Settings.Key.allCases {
      guard let node = nodes[key.rawValue] else { continue }
      let expected = Self.expectation(mapping[Node(key.rawValue)], like: node)
      guard expected.isMet else {
        throw CommandFailure(
          .usage, "\(origin): \(key.rawValue) is '\(Self.text(of: node))', must be \(expected.words)")
      }
      mapping[Node(key.rawValue)] = node
    }
    do {
      return try YAMLDecoder().decode(Settings.self, from: Node.mapping(mapping))
    } catch DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context) {
      let key = context.codingPath.first?.stringValue ?? "a setting"
      let text = nodes[key].map(Self.text) ?? ""
      throw CommandFailure(.usage, "\(origin): \(key) is '\(text)', which is out of its range")
    }
  }

  /// What kind of value stands at a key, judged by the default there, and whether `node` is of it.
  private static func expectation(_ standard: Node?, like node: Node) -> (isMet: Bool, words: String) {
    guard let standard else { return (true, "") }
    if standard.sequence != nil {
      return (node.sequence?.allSatisfy { $0.int != nil } ?? false, "a list of whole numbers such as [64, 64]")
    }
    if standard.bool != nil { return (node.bool != nil, "true or false") }
    if standard.int != nil { return (node.int != nil || UInt64(text(of: node)) != nil, "a whole number") }
    if standard.float != nil { return (node.float != nil, "a number") }
    return (node.scalar != nil, "a word")
  }

  /// A value as a message has it: numbers in their shortest form, lists in brackets.
  static func text(of node: Node) -> String {
    if let scalar = node.scalar {
      return node.bool == nil && node.int == nil ? node.float?.description ?? scalar.string : scalar.string
    }
    if let sequence = node.sequence { return "[\(sequence.map(text).joined(separator: ", "))]" }
    return "a mapping"
  }
}
