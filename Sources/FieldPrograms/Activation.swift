/// What a layer applies to each of its rows.
///
/// The raw values are the names used on the command line and in checkpoints.
public enum Activation: String, Sendable, CaseIterable, Codable {
  case identity
  case tanh
  /// `log(1 + eᶻ)`.
  case softplus
  case relu
  /// `z · sigmoid(z)`, also called swish.
  case silu
}
