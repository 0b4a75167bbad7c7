import FieldPrograms

/// The position of one lane in its sample's backward pass.
struct DiscreteAdjointLane {
  /// −1: idle.
  var sample = -1
  /// Number of the record to reverse next.
  var record = -1
  /// The interval between output times that the record is in.
  var interval = 0
  /// μ = ∂L/∂(log-determinant), constant between output times.
  var logDeterminantBar = 0.0
  /// The cotangents of the regularisers' integrals over |dt|, with the sign of dt.
  var kineticBar = 0.0
  var frobeniusBar = 0.0
  var startTimeBar = 0.0
  var endTimeBar = 0.0
  /// For the present step: h, Σᵢ T̄ᵢ, and h̄, the derivative by the step's length.
  var length = 0.0
  var timeBar = 0.0
  var lengthBar = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
}
