import Foundation
import NeuralODE
import TestProblems
import Testing

/// Checks the reference solutions: with closed forms, with solves of the fields, and with known properties.
@Suite struct ReferenceTests {
  static func problem(_ name: String) throws -> TestProblem {
    try #require((TestProblem.nonStiff + TestProblem.stiff).first { $0.name == name })
  }

  @Test func namesAreUniqueAndEveryProblemHasAReference() {
    let all = TestProblem.nonStiff + TestProblem.stiff
    #expect(TestProblem.nonStiff.count == 25)
    #expect(Set(all.map(\.name)).count == all.count)
    for problem in all {
      #expect(problem.reference.count == problem.dimension && problem.reference.allSatisfy(\.isFinite), "\(problem)")
      #expect(!problem.citation.isEmpty && problem.endTime > 0)
    }
    #expect(TestProblem.stiff.allSatisfy { $0.tangent != nil })
  }

  /// The first components that are known in closed form.
  static let closedForms: [(String, Double)] = {
    let bessel: Double = (2 / (Double.pi * 21)).squareRoot() * sin(21.0)
    let fall: Double = log(cosh((0.032 * 0.4).squareRoot() * 20))
    let logistic: Double = 20 / (1 + 19 * exp(-5.0))
    return [
      ("A1", exp(-20.0)), ("A2", 1 / 21.0.squareRoot()), ("A3", exp(sin(20.0))), ("A4", logistic), ("B3", exp(-20.0)),
      ("C1", exp(-20.0)), ("C2", exp(-20.0)), ("E1", bessel), ("E4", 30 + fall / 0.4),
    ]
  }()

  /// The error is at most about 16 roundings of the formula.
  @Test(arguments: closedForms)
  func referencesEqualTheClosedForms(name: String, value: Double) throws {
    let reference = try Self.problem(name).reference[0]
    // The absolute tolerance of the references is 1e-20 per step, and there are less than a hundred steps.
    #expect(abs(reference - value) <= 16 * value.magnitude.ulp + 1e-18, "\(name): \(reference), \(value)")
  }

  /// The orbits have the period 2π. Kepler's equation E − e sin E = t gives the position.
  @Test(arguments: [("D1", 0.1), ("D2", 0.3), ("D3", 0.5), ("D4", 0.7), ("D5", 0.9)])
  func orbitsObeyKepler(name: String, eccentricity: Double) throws {
    var anomaly = 20.0
    for _ in 0..<100 {
      anomaly -= (anomaly - eccentricity * sin(anomaly) - 20) / (1 - eccentricity * cos(anomaly))
    }
    let reference = try Self.problem(name).reference
    // The start is rounded. A relative error u of the speed changes the mean anomaly by 3·20·u/(1 − e), here up to 600
    // u.
    let tolerance = 1e-12
    #expect(abs(reference[0] - (cos(anomaly) - eccentricity)) < tolerance)
    #expect(abs(reference[1] - (1 - eccentricity * eccentricity).squareRoot() * sin(anomaly)) < tolerance)
  }

  /// The fields here are those that the references were computed from: the most accurate method with a small tolerance
  /// gives the references.
  @Test(arguments: TestProblem.nonStiff)
  func fieldsMatchTheReferences(problem: TestProblem) throws {
    let solve = try WorkPrecision.measure(problem, method: "dopri8", tolerance: 1e-11)
    #expect(solve.status == .ok)
    // The limit is far above the error of the problem with the worst condition (D5) at a tolerance of 1e-11, and far
    // below the effect of a wrong coefficient.
    #expect(solve.error * solve.tolerance < 1e-7, "\(problem): \(solve.error) tolerances")
  }

  /// HIRES is not too stiff for explicit steps.
  @Test func hiresMatchesItsReference() throws {
    let solve = try WorkPrecision.measure(try Self.problem("HIRES"), method: "dopri5", tolerance: 1e-8)
    #expect(solve.isWithinTolerance, "\(solve)")
  }

  /// Between jumps, the solution follows the slow motion y′ = z(y) = y/(1 − y²), so y″ = dz/dy · z up to 1/μ². At the
  /// reference, the field computes y″ as a difference times μ², of which rounding leaves 4 digits at μ = 10⁶.
  @Test(arguments: ["VDP3", "VDP4", "VDP5", "VDP6"])
  func vanDerPolMovesSlowlyAtItsReference(name: String) throws {
    let problem = try Self.problem(name)
    let (y, z) = (problem.reference[0], problem.reference[1])
    var rates = [0.0, 0.0]
    problem.rates(problem.endTime, problem.reference, &rates)
    let slope = (1 + y * y) / ((1 - y * y) * (1 - y * y))
    #expect(rates[0] == z && abs(rates[1] / (slope * z) - 1) < 1e-3)
  }

  /// Late in Robertson's reaction y₂ = 4e-6 y₁ and y₃ = 1, so y₁′ = −4.8e-4 y₁². This gives y₁ = 1/(4.8e-4 t) and y₃′ =
  /// y₁/t, up to terms of the size of y₁ and of log t/t.
  @Test func robertsonDecaysAtItsReference() throws {
    let problem = try Self.problem("ROBER")
    let (t, y) = (problem.endTime, problem.reference)
    var rates = [0.0, 0.0, 0.0]
    problem.rates(t, y, &rates)
    #expect(abs(y[0] * 4.8e-4 * t - 1) < 1e-5)
    #expect(abs(rates[2] * t / y[0] - 1) < 1e-5 && abs(rates[0] * t / y[0] + 1) < 1e-5)
  }

  /// Compares the Jacobian with central differences of step h along a direction. Their truncation error is h² times the
  /// third derivative, which only VDP has here, and their rounding error is ulp/h. Both are relative to the size of the
  /// rates.
  @Test(arguments: TestProblem.stiff)
  func jacobiansEqualDifferencesOfTheFields(problem: TestProblem) throws {
    let tangent = try #require(problem.tangent)
    let h = 1e-5
    for seed in 0..<3 {
      let source = RandomSource(seed: UInt64(seed), stream: .data)
      let y = (0..<problem.dimension).map { 1 + 0.5 * source.normal(sample: 0, dimension: $0) }
      let v = (0..<problem.dimension).map { source.normal(sample: 1, dimension: $0) }
      var above = y
      var below = y
      var found = y
      problem.rates(0, zip(y, v).map { $0 + h * $1 }, &above)
      problem.rates(0, zip(y, v).map { $0 - h * $1 }, &below)
      tangent(0, y, v, &found)
      let scale = found.map(abs).max() ?? 1
      for row in found.indices {
        #expect(abs((above[row] - below[row]) / (2 * h) - found[row]) < 1e-8 * scale, "\(problem) row \(row)")
      }
    }
  }
}
