/// The number format in which a model solves for densities and samples. Its data and parameters are `Float` in both.
public enum StateType: String, Sendable, CaseIterable {
  case float32
  /// For tolerances below about 1e-6, where rounding in `Float` exceeds the error that a step may have.
  case float64

  /// The type of states.
  public var scalar: any FlowScalar.Type {
    switch self {
    case .float32: Float.self
    case .float64: Double.self
    }
  }
}
