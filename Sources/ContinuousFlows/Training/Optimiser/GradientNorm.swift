/// Norms of gradients.
enum GradientNorm {
  /// The Euclidean norm in Double: eight partial sums, then added in order, on every machine.
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

  /// The factor that scales a gradient of norm `norm` down to `limit`; 1 if it is not longer.
  static func clipScale(norm: Double, limit: Double?) -> Float {
    guard let limit, norm > limit else { return 1 }
    return Float(limit / norm)
  }
}
