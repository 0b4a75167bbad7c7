/// Lengths of gradients.
enum GradientNorm {
  /// The Euclidean norm, in Double: eight sums side by side, then one after the other, whatever the machine.
  static func euclidean(_ gradient: [Float]) -> Double {
    var sums = SIMD8<Double>(repeating: 0)
    let whole = gradient.count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      var eight = SIMD8<Float>()
      for lane in 0..<8 { eight[lane] = gradient[start + lane] }
      let wide = SIMD8<Double>(eight)
      sums += wide * wide
    }
    var total = 0.0
    for lane in 0..<8 { total += sums[lane] }
    for index in whole..<gradient.count { total += Double(gradient[index]) * Double(gradient[index]) }
    return total.squareRoot()
  }

  /// The factor that shortens a gradient of norm `norm` to `limit`; 1 where it is no longer than that.
  static func clipScale(norm: Double, limit: Double?) -> Float {
    guard let limit, norm > limit else { return 1 }
    return Float(limit / norm)
  }
}
