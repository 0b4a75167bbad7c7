import FieldPrograms

/// The position of one lane in its sample's solve.
struct Lane {
  /// −1: idle.
  var sample = -1
  var time = 0.0
  /// The interval between output times that it is in.
  var interval = 0
  /// The step to try, with the sign of its direction.
  var step = 0.0
  /// Whether the step ends the interval.
  var isLast = false
  /// Whether the last attempt was rejected because it was not finite.
  var lastWasNotFinite = false
  /// The adaptive step proposed before it was cut at the interval's end.
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
  /// The start, the end and the output times of its sample.
  var intervals = Intervals(start: 0, end: 0, times: [])
  /// For implicit Adams methods: whether the step's iteration continues, c₀, the weighted sum of past slopes, and the
  /// present change of the log-determinant.
  var isDoubtful = false
  var correctorWeight = 0.0
  var knownIntegrands = Integrands()
  var logDeterminantChange = 0.0

  @inline(__always) var isActive: Bool { sample >= 0 }
  @inline(__always) var start: Double { intervals.start }
  @inline(__always) var end: Double { intervals.end }

  /// The time at which the step ends: of an interval's last step the interval's end, to the bit.
  var stepEnd: Double {
    let stop = intervals.end(of: interval)
    return isLast ? stop : limited(time + step, step, to: stop)
  }
  @inline(__always) func time(at fraction: Double) -> Double { timeInStep(time, step, fraction, end: stepEnd) }
}
