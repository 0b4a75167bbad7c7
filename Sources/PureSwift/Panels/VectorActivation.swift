import FieldPrograms

/// An activation on vectors: value, first and second derivative at `z`. NaN gives NaN in the value.
protocol VectorActivation {
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V)
}

enum Tanh: VectorActivation {
  /// sign(z) · (1 − e)/(1 + e) with e = exp(−2|z|).
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let sign = hasSign(z)
    let minusMagnitude = select(sign, z, V(0) - z)
    let minusOne = exponential(minusMagnitude + minusMagnitude).minusOne
    let magnitude = (V(0) - minusOne) / (V(2) + minusOne)
    let value = select(sign, V(0) - magnitude, magnitude)
    let slope = (V(1) - value) * (V(1) + value)
    return (value, slope, V(-2) * value * slope)
  }
}

/// `1/(1 + exp(−z))`, `1 −` that, and `exp(−|z|)`, none of which overflows or cancels.
@inline(__always)
private func sigmoid<V: LaneVector>(_ z: V) -> (value: V, complement: V, decay: V) {
  let sign = hasSign(z)
  let decay = exponential(select(sign, z, V(0) - z)).value
  let large = V(1) / (V(1) + decay)
  let small = decay * large
  return (select(sign, small, large), select(sign, large, small), decay)
}

enum Softplus: VectorActivation {
  /// max(z, 0) + log(1 + exp(−|z|)).
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let (slope, complement, decay) = sigmoid(z)
    let positive = select(isNegative(z), V(0), z)
    return (positive + logarithmOfOnePlus(decay), slope, slope * complement)
  }
}

enum Relu: VectorActivation {
  /// The derivative at 0 is taken as 0.
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    (select(isNegative(z), V(0), z), select(isPositive(z), V(1), V(0)), V(0))
  }
}

enum Silu: VectorActivation {
  /// z σ(z); σ(1 + z(1 − σ)); σ(1 − σ)(2 + z(1 − 2σ)).
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let (sigma, complement, _) = sigmoid(z)
    let slope = sigma * (V(1) + z * complement)
    return (z * sigma, slope, sigma * complement * (V(2) + z * (complement - sigma)))
  }
}

enum Sigmoid: VectorActivation {
  /// σ; σ(1 − σ); σ(1 − σ)(1 − 2σ).
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let (value, complement, _) = sigmoid(z)
    let slope = value * complement
    return (value, slope, slope * (complement - value))
  }
}

enum Elu: VectorActivation {
  /// exp(z) − 1 and its derivatives where z is not positive, at 0 too.
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let positive = isPositive(z)
    let power = exponential(select(positive, V(0), z))
    return (
      select(positive, z, power.minusOne), select(positive, V(1), power.value), select(positive, V(0), power.value)
    )
  }
}

enum LogCosh: VectorActivation {
  /// |z| + log(1 + exp(−2|z|)); tanh z; 1 − tanh² z.
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let sign = hasSign(z)
    let magnitude = select(sign, V(0) - z, z)
    let (slope, curvature, _) = Tanh.expand(z)
    return (magnitude + logarithmOfOnePlus(exponential(V(-2) * magnitude).value), slope, curvature)
  }
}

/// Applies `activation` to `values` in place; leaves derivatives in the panels of them that are not empty.
@inline(never)
func activate<V: LaneVector>(_ activation: Activation, _ values: Panel<V>, slopes: Panel<V>, curvatures: Panel<V>) {
  switch activation {
  case .identity: break
  case .tanh: expand(Tanh.self, values, slopes, curvatures)
  case .softplus: expand(Softplus.self, values, slopes, curvatures)
  case .relu: expand(Relu.self, values, slopes, curvatures)
  case .silu: expand(Silu.self, values, slopes, curvatures)
  case .sigmoid: expand(Sigmoid.self, values, slopes, curvatures)
  case .gelu: expand(Gelu.self, values, slopes, curvatures)
  case .elu: expand(Elu.self, values, slopes, curvatures)
  case .sin: expand(Sine.self, values, slopes, curvatures)
  case .logcosh: expand(LogCosh.self, values, slopes, curvatures)
  }
}

@inline(__always)
private func expand<A: VectorActivation, V: LaneVector>(
  _: A.Type, _ values: Panel<V>, _ slopes: Panel<V>, _ curvatures: Panel<V>
) {
  let keepsSlopes = !slopes.isEmpty
  let keepsCurvatures = !curvatures.isEmpty
  for index in 0..<values.count {
    let result = A.expand(values[index])
    values[index] = result.value
    if keepsSlopes { slopes[index] = result.slope }
    if keepsCurvatures { curvatures[index] = result.curvature }
  }
}
