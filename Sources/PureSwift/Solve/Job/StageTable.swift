import FieldPrograms

/// A tableau with derived values: scalars in the state's precision, and which stages have weight.
struct StageTable<Scalar: FlowScalar>: Sendable {
  let stages: Int
  let order: Int
  let embeddedOrder: Int
  let isFirstSameAsLast: Bool
  /// Rows of a, `[stages][stages]`.
  let a: [[Scalar]]
  let b: [Scalar]
  let e: [Scalar]
  /// In Double, because times and log-determinants are Doubles. A Rosenbrock method has a table of its own.
  let timeFractions: [Double]
  let weights: [Double]
  let errorWeights: [Double]
  /// Whether a stage influences the next state, directly or through later stages.
  let reachesState: [Bool]
  /// |C|, if the first step of x' = z x with h = 1 has the error estimate (C zᵏ + …) x, where k is the embedded order
  /// plus one.
  let errorConstant: Double

  init(_ tableau: ButcherTableau) {
    stages = tableau.stages
    order = tableau.order
    embeddedOrder = tableau.embeddedOrder
    isFirstSameAsLast = tableau.isFirstSameAsLast
    a = tableau.a.map { $0.map { Scalar($0) } }
    b = tableau.b.map { Scalar($0) }
    e = tableau.e.map { Scalar($0) }
    timeFractions = tableau.c
    weights = tableau.b
    errorWeights = tableau.e
    var reaches = tableau.b.map { $0 != 0 }
    for later in tableau.b.indices.reversed() where reaches[later] {
      for stage in 0..<later where tableau.a[later][stage] != 0 { reaches[stage] = true }
    }
    reachesState = reaches
    errorConstant = Self.errorConstant(of: tableau)
  }

  /// Stage i is kᵢ = (1 + z Σⱼ aᵢⱼkⱼ) z x; with a matrix it is (1 + z Σⱼ aᵢⱼkⱼ + Σⱼ cᵢⱼkⱼ) z x, divided by 1/γ − z.
  /// Both are computed as power series.
  private static func errorConstant(of tableau: ButcherTableau) -> Double {
    guard !tableau.e.isEmpty else { return 0 }
    let last = min(tableau.order, tableau.embeddedOrder)
    var series: [[Double]] = []
    for stage in 0..<tableau.stages {
      var terms: [Double] = []
      for power in 0...last {
        var sum = power == 0 ? 1.0 : 0
        for (earlier, other) in series.enumerated() {
          if power > 0 { sum += tableau.a[stage][earlier] * other[power - 1] }
          if let rosenbrock = tableau.rosenbrock { sum += rosenbrock.c[stage][earlier] * other[power] }
        }
        if let rosenbrock = tableau.rosenbrock { sum = rosenbrock.gamma * (sum + (power > 0 ? terms[power - 1] : 0)) }
        terms.append(sum)
      }
      series.append(terms)
    }
    return abs(zip(tableau.e, series).reduce(0) { $0 + $1.0 * $1.1[last] })
  }
}

/// `result = base + h ∘ Σⱼ cⱼ kⱼ` over the first `count` of `velocities`; zero coefficients are skipped.
@inline(__always)
func combine<V: LaneVector>(
  _ base: Panel<V>, _ stepLengths: Panel<V>, _ coefficients: [V.Scalar], _ velocities: [Panel<V>], count: Int,
  into result: Panel<V>
) {
  for row in 0..<base.rows {
    for group in 0..<base.groups {
      var sum = V()
      for stage in 0..<count where coefficients[stage] != 0 {
        sum = sum + coefficients[stage] * velocities[stage][row, group]
      }
      result[row, group] = base[row, group] + stepLengths[0, group] * sum
    }
  }
}
