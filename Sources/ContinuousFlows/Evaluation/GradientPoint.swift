import NeuralODE

/// A place in the space of all that a loss depends on, or a direction in it.
struct GradientPoint {
  var parameters: [Double]
  var states: [Double]
  var startTime: Double
  var endTime: Double
  /// `[count][C]`, as the field reads it.
  var context: [Double] = []

  func moved(_ distance: Double, along direction: GradientPoint) -> GradientPoint {
    GradientPoint(
      parameters: zip(parameters, direction.parameters).map { $0 + distance * $1 },
      states: zip(states, direction.states).map { $0 + distance * $1 },
      startTime: startTime + distance * direction.startTime, endTime: endTime + distance * direction.endTime,
      context: zip(context, direction.context).map { $0 + distance * $1 })
  }

  func dot(_ other: GradientPoint) -> Double {
    zip(parameters, other.parameters).reduce(0) { $0 + $1.0 * $1.1 }
      + zip(states, other.states).reduce(0) { $0 + $1.0 * $1.1 }
      + zip(context, other.context).reduce(0) { $0 + $1.0 * $1.1 } + startTime * other.startTime
      + endTime * other.endTime
  }

  func zero(startTime: Double = 0, endTime: Double = 0) -> GradientPoint {
    GradientPoint(
      parameters: parameters.map { _ in 0 }, states: states.map { _ in 0 }, startTime: startTime, endTime: endTime,
      context: context.map { _ in 0 })
  }

  /// Of length 1, or 0 where there is nothing to go along.
  private var normalised: GradientPoint {
    let length = dot(self).squareRoot()
    return length > 0 ? zero().moved(1 / length, along: self) : self
  }

  func restricted(toParameters range: Range<Int>) -> GradientPoint {
    var direction = zero()
    direction.parameters.replaceSubrange(range, with: parameters[range])
    return direction.normalised
  }

  func restrictedToStates() -> GradientPoint {
    var direction = zero()
    direction.states = states
    return direction.normalised
  }

  func restrictedToContext() -> GradientPoint {
    var direction = zero()
    direction.context = context
    return direction.normalised
  }

  func withRandomParameters(seed: UInt64) -> GradientPoint {
    let source = RandomSource(seed: seed, stream: .initial, step: 1 << 32)  // no layer has this number
    var direction = zero()
    for index in parameters.indices { direction.parameters[index] = source.normal(sample: 0, dimension: index) }
    return direction.normalised
  }
}
