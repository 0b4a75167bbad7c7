import FieldPrograms

/// One lane's place in the reverse sweep of its sample.
struct DiscreteAdjointLane {
  /// −1: idle.
  var sample = -1
  /// Number of the record that is to be reversed next.
  var record = -1
  /// Which interval between output times that is in.
  var interval = 0
  /// μ = ∂L/∂(log-determinant), the same from one output time to the next.
  var logDeterminantBar = 0.0
  /// The cotangents of the regularisers' integrals over |dt|, with the sign of dt.
  var kineticBar = 0.0
  var frobeniusBar = 0.0
  var startTimeBar = 0.0
  var endTimeBar = 0.0
  /// Of the step in hand: h, Σᵢ T̄ᵢ, and h̄, the derivative by the step's length.
  var length = 0.0
  var timeBar = 0.0
  var lengthBar = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
}
