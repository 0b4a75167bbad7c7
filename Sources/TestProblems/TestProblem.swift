import FieldPrograms

/// An initial value problem y′ = f(t, y) from t = 0 with a reference solution. Benchmarks measure solvers on it.
///
/// `TestProblem.nonStiff` and `TestProblem.stiff` list all problems. The folder `Problems` defines them.
public struct TestProblem: Sendable {
  /// `(t, y, rates)`: writes f(t, y) to `rates`; y and rates are `[dimension]`.
  public typealias Rates = @Sendable (Double, [Double], inout [Double]) -> Void
  /// `(t, y, yDot, ratesDot)`: writes the Jacobian ∂f/∂y times ẏ to `ratesDot`.
  public typealias Tangent = @Sendable (Double, [Double], [Double], inout [Double]) -> Void

  /// The name in the literature: `A1`, …, `E5`. It is also the key of the reference solution.
  public let name: String
  /// A description in a few words.
  public let title: String
  public let citation: String
  /// y(0).
  public let start: [Double]
  public let endTime: Double
  public let rates: Rates
  /// The product with the Jacobian, which implicit methods need; nil for problems that are meant for explicit methods.
  public let tangent: Tangent?

  init(
    _ name: String, _ title: String, citation: String, start: [Double], endTime: Double, tangent: Tangent? = nil,
    rates: @escaping Rates
  ) {
    self.name = name
    self.title = title
    self.citation = citation
    self.start = start
    self.endTime = endTime
    self.rates = rates
    self.tangent = tangent
  }

  public var dimension: Int { start.count }

  /// The reference solution y(endTime), `[dimension]`. It is exact to at least 12 digits, relative to the scale that
  /// `Scripts/make_reference_solutions.py` states.
  public var reference: [Double] {
    guard let reference = References.all[name], reference.count == dimension else {
      preconditionFailure(
        "references.json has no \(dimension) numbers for problem \(name): run Scripts/make_reference_solutions.py")
    }
    return reference
  }
}

extension TestProblem: CustomStringConvertible {
  public var description: String { name }
}

extension TestProblem {
  /// The field as a program of one callback in `Double`, with `tangent` as its tangent. It computes one lane at a time.
  public var program: FieldProgram {
    var lanewiseTangent: FieldCallback.Functions<Double>.Tangent?
    if let tangent { lanewiseTangent = Self.lanewise(tangent, dimension) }
    let callback = FieldCallback(
      name: name, double: .init(evaluate: Self.lanewise(rates, dimension), tangent: lanewiseTangent))
    var program = FieldProgram(stateDimension: dimension)
    program.append(.callback(input: .state, rows: dimension, callback))
    return program
  }

  private static func lanewise(
    _ rates: @escaping Rates, _ dimension: Int
  ) -> FieldCallback.Functions<Double>.Evaluate {
    { lanes, t, x, _, y in
      var state = [Double](repeating: 0, count: dimension)
      var result = state
      for lane in 0..<lanes {
        for row in 0..<dimension { state[row] = x[row * lanes + lane] }
        rates(t[lane], state, &result)
        for row in 0..<dimension { y[row * lanes + lane] = result[row] }
      }
    }
  }

  private static func lanewise(
    _ tangent: @escaping Tangent, _ dimension: Int
  ) -> FieldCallback.Functions<Double>.Tangent {
    { lanes, t, x, _, xDot, yDot in
      var state = [Double](repeating: 0, count: dimension)
      var (direction, result) = (state, state)
      for lane in 0..<lanes {
        for row in 0..<dimension {
          state[row] = x[row * lanes + lane]
          direction[row] = xDot[row * lanes + lane]
        }
        tangent(t[lane], state, direction, &result)
        for row in 0..<dimension { yDot[row * lanes + lane] = result[row] }
      }
    }
  }
}
