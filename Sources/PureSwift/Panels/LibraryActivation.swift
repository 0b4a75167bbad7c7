import CLibrary
import FieldPrograms

// Activations by the C library's functions of Double, lane by lane: slow, and independent of the kernels.

/// The three results of `function`, in Double, for each lane.
@inline(__always)
private func expandLanes<V: LaneVector>(
  _ z: V, _ function: (Double) -> (value: Double, slope: Double, curvature: Double)
) -> (value: V, slope: V, curvature: V) {
  var (value, slope, curvature) = (V(), V(), V())
  for lane in 0..<V.scalarCount {
    let result = function(Double(z[lane]))
    value[lane] = V.Scalar(result.value)
    slope[lane] = V.Scalar(result.slope)
    curvature[lane] = V.Scalar(result.curvature)
  }
  return (value, slope, curvature)
}

enum Gelu: VectorActivation {
  /// z Φ; Φ + z φ; φ (2 − z²). Φ(z) = ½ erfc(−z √½); erfc's tail makes the rounding of its argument z² times as large,
  /// so what was lost there is given back to first order, by erfc′(x) = −2/√π exp(−x²).
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    expandLanes(z) { z in
      // Beyond 40, Φ and φ are 0 or 1, and z² must not become infinite.
      let limited = z > 40 ? 40 : z < -40 ? -40 : z
      let root = 0.5.squareRoot()
      let rootRest = 0.5.addingProduct(-root, root) / (2 * root)
      let argument = -limited * root
      let lost = (-argument).addingProduct(-limited, root) - limited * rootRest
      let distribution = 0.5 * erfc(argument) - lost / Double.pi.squareRoot() * exp(-argument * argument)
      let density = exp(-0.5 * limited * limited) / (2 * Double.pi).squareRoot()
      return (
        (z < -40 ? -40 : z) * distribution, distribution + limited * density, density * (2 - limited * limited)
      )
    }
  }
}

enum Sine: VectorActivation {
  @inline(__always)
  static func expand<V: LaneVector>(_ z: V) -> (value: V, slope: V, curvature: V) {
    let end = Activation.sineEnd(V.Scalar.self)
    return expandLanes(z) { z in
      let limited = z > end ? end : z < -end ? -end : z
      return (sin(limited), cos(limited), -sin(limited))
    }
  }
}
