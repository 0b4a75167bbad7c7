/// One lane's place on the continuous adjoint's way back of its sample.
struct ContinuousAdjointLane {
  /// −1: idle.
  var sample = -1
  var time = 0.0
  /// The step to try, and the one to propose: negative where the solve ran forward in time.
  var step = 0.0
  var proposed = 0.0
  /// Whether the step comes to t0.
  var isLast = false
  /// Whether the last attempt was rejected for not being finite.
  var isUnruly = false
  /// Whether no step has been tried yet.
  var isFresh = true
  var isAccepted = false
  var accepted = 0
  var tries = 0
  var past = ErrorControl.Past()
  /// The power of two that the sample's cotangents are divided by, and the constant ones so divided.
  var scale = 1.0
  var bars = EndCotangents()
  var endTimeBar = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
}
