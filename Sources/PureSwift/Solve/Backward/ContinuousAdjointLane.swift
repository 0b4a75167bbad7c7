/// The position of one lane in its sample's continuous adjoint.
struct ContinuousAdjointLane {
  /// −1: idle.
  var sample = -1
  var time = 0.0
  /// The step to try, and the step to propose next: negative if the forward solve ran forward in time.
  var step = 0.0
  /// Where that step ends.
  var stepEnd = 0.0
  var proposed = 0.0
  /// Whether the step ends at t0.
  var isLast = false
  /// Whether the last attempt was rejected because it was not finite.
  var lastWasNotFinite = false
  /// Whether no step has been tried yet.
  var isFresh = true
  var isAccepted = false
  var accepted = 0
  var tries = 0
  var past = ErrorControl.Past()
  /// The power of two that divides the sample's cotangents, and the constant cotangents after this division.
  var scale = 1.0
  var bars = EndCotangents()
  var endTimeBar = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
}
