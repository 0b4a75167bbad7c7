import NeuralODE

/// Numbers and derivatives that the tests of this folder share.
enum Fixtures {
  /// Normal random numbers. The same seed gives the same numbers in every run.
  static func normals<Scalar: FlowScalar>(_ count: Int, seed: UInt64, scale: Double = 1) -> [Scalar] {
    let source = RandomSource(seed: seed, stream: .data, step: 91)
    return (0..<count).map { Scalar(scale * source.normal(sample: 0, dimension: $0)) }
  }

  /// Central differences (f(x + h) − f(x − h))/2h of `function` by every component of `point`, with h = 2⁻¹⁷. Their
  /// truncation error is h²|f‴|/6 < 1e-11 |f‴|. Rounding of f adds about 1.5e-11 |f|.
  static func differences(at point: [Double], of function: ([Double]) throws -> Double) rethrows -> [Double] {
    let step = 0x1p-17
    return try point.indices.map { index in
      var (up, down) = (point, point)
      up[index] += step
      down[index] -= step
      return try (function(up) - function(down)) / (2 * step)
    }
  }

  /// The bound for gradients compared with central differences, relative to the larger of 1 and the gradient's largest
  /// component.
  static let differenceTolerance = 1e-7

  /// The largest difference of two gradients, over the larger of 1 and the largest component.
  static func error(_ found: [Double], _ expected: [Double]) -> Double {
    precondition(found.count == expected.count, "\(found.count) and \(expected.count) components")
    let size = expected.reduce(1) { max($0, abs($1)) }
    return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
  }

  /// A callback field `x ↦ −a x³ + b sin t`, row by row. Its parameters are a and b, and its derivatives are exact.
  static let cubic: FieldProgram = {
    func functions<Scalar: FlowScalar>(_: Scalar.Type) -> FieldCallback.Functions<Scalar> {
      @Sendable func sin(_ t: Double) -> Scalar { Scalar(Angles.sine(t)) }
      @Sendable func cos(_ t: Double) -> Scalar { Scalar(Angles.cosine(t)) }
      return
        .init(
          evaluate: { lanes, t, x, parameters, y in
            for index in 0..<x.count {
              y[index] = -parameters[0] * x[index] * x[index] * x[index] + parameters[1] * sin(t[index % lanes])
            }
          },
          reverse: { lanes, t, x, parameters, yBar, xBar, tBar, parametersBar in
            for index in 0..<x.count {
              xBar[index] = -3 * parameters[0] * x[index] * x[index] * yBar[index]
              tBar[index % lanes] += parameters[1] * cos(t[index % lanes]) * yBar[index]
              parametersBar[0] -= x[index] * x[index] * x[index] * yBar[index]
              parametersBar[1] += sin(t[index % lanes]) * yBar[index]
            }
          })
    }
    var program = FieldProgram(stateDimension: 3)
    let callback = FieldCallback(
      name: "cubic", parameterCount: 2,
      float: functions(Float.self), double: functions(Double.self))
    program.append(.callback(input: .state, rows: 3, callback))
    return program
  }()
}
