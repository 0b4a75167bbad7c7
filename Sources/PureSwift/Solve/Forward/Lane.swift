import FieldPrograms

/// One lane's place in the solve of its sample.
struct Lane {
  /// −1: idle.
  var sample = -1
  var time = 0.0
  /// Which interval between output times it is in.
  var interval = 0
  /// The step to try, with the sign of its direction.
  var step = 0.0
  /// Whether the step ends the interval.
  var isLast = false
  /// Whether the last attempt was rejected for not being finite.
  var isUnruly = false
  /// The step that was proposed before it was clipped at the interval's end: for adaptive steps.
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
  /// Where its sample starts and ends, and what cuts its way.
  var intervals = Intervals(start: 0, end: 0, times: [])
  /// Implicit Adams methods: whether the step's iteration goes on, c₀, the sum of the slopes behind the step, and the
  /// log-determinant's change as it is at hand.
  var isDoubtful = false
  var correctorWeight = 0.0
  var knownIntegrands = Integrands()
  var logDeterminantChange = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
  @inline(__always) var start: Double { intervals.start }
  @inline(__always) var end: Double { intervals.end }
}
