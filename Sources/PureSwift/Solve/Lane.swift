import FieldPrograms

/// One lane's place in the solve of its sample.
struct Lane {
  /// −1: idle.
  var sample = -1
  var time = 0.0
  /// The step to try, with the sign of its direction.
  var step = 0.0
  var isLast = false
  /// Whether the last attempt was rejected for not being finite.
  var isUnruly = false
  /// The step that was proposed before it was clipped at the end time: for adaptive steps.
  var proposed = 0.0
  var past = ErrorControl.Past()
  var smallestStep = Double.infinity
  var logDeterminant = 0.0
  var nextLogDeterminant = 0.0
  var kineticEnergy = 0.0
  var nextKineticEnergy = 0.0
  var frobeniusNorm = 0.0
  var nextFrobeniusNorm = 0.0
  var accepted = 0
  var rejected = 0
  var evaluations = 0
  /// Whether the first stage's velocity belongs to the lane's state and time.
  var hasVelocity = false
  var lastRecord = -1
  /// Where its sample starts and ends.
  var start = 0.0
  var end = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
}
