/// Weights of an Adams formula on equal steps, newest slope first: the integral over a step of the polynomial through k
/// slopes (Hairer, Nørsett, Wanner, "Solving Ordinary Differential Equations I", III.1).
///
///     Bashforth  x′ = x + h Σ_{j<k} wⱼ f(t − jh)        nodes 0, −1, …, 1 − k
///     Moulton    x′ = x + h Σ_{j<k} wⱼ f(t + h − jh)    nodes 1, 0, …, 2 − k; its first slope is the one looked for
///
/// The weights are computed here from that integral, in integers, and rounded once. No table is copied; C's table is
/// compared with these.
struct AdamsFormula: Sendable {
  let weights: [Double]

  /// The longest formula, and the fewest slopes of a formula; with fewer slopes a step uses the starting method.
  static let mostSlopes = 12
  static let leastSlopes = 3
  /// Largest number of evaluations of a corrector.
  static let iterations = 4

  static func bashforth(_ slopes: Int) -> AdamsFormula { bashforths[slopes - 1] }
  static func moulton(_ slopes: Int) -> AdamsFormula { moultons[slopes - 1] }
  private static let bashforths = (1...mostSlopes).map { AdamsFormula(slopes: $0, newest: 0) }
  private static let moultons = (1...mostSlopes).map { AdamsFormula(slopes: $0, newest: 1) }

  /// wⱼ = ∫₀¹ Π_{i≠j} (s − nᵢ)/(nⱼ − nᵢ) ds over the nodes nᵢ = `newest` − i.
  ///
  /// With 12 slopes numerators are at most 12! · 27720 < 2⁴⁴, since Π (1 + |nᵢ|) ≤ 12! is the sum of a product's
  /// coefficients, and denominators at most 11! · 27720 < 2⁴¹: doubles hold both, and their quotient is the rounded
  /// weight.
  private init(slopes: Int, newest: Int) {
    precondition((1...Self.mostSlopes).contains(slopes), "\(slopes) slopes of at most \(Self.mostSlopes)")
    let nodes = (0..<slopes).map { newest - $0 }
    let multiple = 27720  // the least common multiple of 1 to 12: what integrals of powers are divided by
    weights = nodes.map { node in
      var coefficients = [1]  // of Π (s − nᵢ), lowest power first
      var denominator = multiple
      for other in nodes where other != node {
        let raised = [0] + coefficients
        coefficients = zip(raised, coefficients + [0]).map { $0 - other * $1 }
        denominator *= node - other
      }
      let numerator = coefficients.enumerated().reduce(0) { $0 + $1.element * (multiple / ($1.offset + 1)) }
      return Double(numerator) / Double(denominator)
    }
  }
}
