/// Something that settings cannot be: one row of a section, a model kind or the methods.
struct Refusal: Sendable {
  /// When the row counts.
  enum Phase: Sendable {
    /// Also for a model that is trained already.
    case always
    /// Only before training.
    case training
  }

  let phase: Phase
  /// What to say of settings that are refused: the thing, why, and what to do. Nil: they are accepted.
  let sentence: @Sendable (Settings) throws -> String?

  init(_ phase: Phase = .always, _ sentence: @escaping @Sendable (Settings) throws -> String?) {
    self.phase = phase
    self.sentence = sentence
  }
}
