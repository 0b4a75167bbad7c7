/// An operation that your own Swift code computes: `y = g(x, t; θ)`, where `x` is the input block and `θ` are
/// parameters of the callback.
///
/// It is slower than a built-in operation, and otherwise works like one. It may be the whole field or one operation of
/// many, has a divergence and an exact gradient, and runs with the C kernels and with `PureSwift`. It serves the scalar
/// types that you give functions for; `Functions` lists the rules for them.
///
/// ```swift
/// let decay = FieldCallback(
///   name: "decay", parameterCount: 1,
///   double: .init { lanes, t, x, parameters, y in
///     for index in 0..<x.count { y[index] = -parameters[0] * x[index] }
///   })
/// var program = FieldProgram(stateDimension: 2)
/// program.append(.callback(input: .state, rows: 2, decay))
/// ```
///
/// Two callbacks are equal if they are the same object, because closures cannot be compared.
public final class FieldCallback: Sendable {
  /// The name in error messages.
  public let name: String
  /// The number of parameters of the callback. In the flat array they come after those of earlier operations.
  public let parameterCount: Int
  public let float: Functions<Float>?
  public let double: Functions<Double>?

  public init(
    name: String, parameterCount: Int = 0, float: Functions<Float>? = nil, double: Functions<Double>? = nil
  ) {
    precondition(parameterCount >= 0, "callback '\(name)' has parameterCount \(parameterCount), must not be negative")
    precondition(float != nil || double != nil, "callback '\(name)' needs functions for Float, Double or both")
    self.name = name
    self.parameterCount = parameterCount
    self.float = float
    self.double = double
  }

  /// The functions for `Scalar`, or nil.
  public func functions<Scalar: FlowScalar>(_: Scalar.Type) -> Functions<Scalar>? {
    float as? Functions<Scalar> ?? double as? Functions<Scalar>
  }
}

extension FieldCallback: Equatable {
  public static func == (first: FieldCallback, second: FieldCallback) -> Bool { first === second }
}

extension FieldCallback {
  /// The functions of a callback. Each one computes a tile of `lanes` samples side by side.
  ///
  /// Spans are feature-major: row r of lane j is at index `r * lanes + j`. Below, J = ∂y/∂x.
  ///
  /// | argument | shape | meaning |
  /// |---|---|---|
  /// | `t` | `[lanes]` | the time of each lane, always in Double: a `Float` cannot tell large times apart |
  /// | `x`, `xDot`, `xBar`, `xDotBar` | `[rows of the input][lanes]` | input, its tangent, cotangents of both |
  /// | `parameters` | `[parameterCount]` | θ |
  /// | `y`, `yDot`, `yBar`, `yDotBar` | `[rows][lanes]` | output, its tangent, cotangents of both |
  /// | `tBar` | `[lanes]` | cotangent of the time |
  /// | `parametersBar` | `[parameterCount]` | cotangent of θ: add to it, over all lanes in a fixed order |
  ///
  /// - Write all of `y` and `yDot`. `xBar`, `xDotBar` and `tBar` are 0 before the call.
  /// - The numbers of a lane must depend on the input of that lane only, and not on its position or the number of
  ///   lanes. The promise that a sample's results do not depend on the other samples rests on this rule.
  /// - To report a failure of a lane, write NaN to it.
  /// - Lanes without a sample have arbitrary numbers, including NaN. In the reverse functions they have the values of
  ///   another lane and cotangents of 0, and must add exactly 0 to `parametersBar`.
  /// - Several threads call the functions at once. Results must depend on the arguments only.
  public struct Functions<Scalar: FlowScalar>: Sendable {
    /// `(lanes, t, x, parameters, y)`: y = g(x, t).
    public typealias Evaluate =
      @Sendable (Int, Span<Double>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    /// `(lanes, t, x, parameters, xDot, yDot)`: ẏ = J ẋ.
    public typealias Tangent =
      @Sendable (Int, Span<Double>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    /// `(lanes, t, x, parameters, yBar, xBar, tBar, parametersBar)`: x̄ = Jᵀȳ, t̄ = (∂y/∂t)ᵀȳ, θ̄ += (∂y/∂θ)ᵀȳ.
    public typealias Reverse =
      @Sendable (
        Int, Span<Double>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>,
        inout MutableSpan<Scalar>, inout MutableSpan<Scalar>
      ) -> Void
    /// `(lanes, t, x, parameters, xDot, yDotBar, xBar, xDotBar, tBar, parametersBar)`: with s = ẏ̄ᵀ J(x, t; θ) ẋ for
    /// each lane, ẋ̄ = Jᵀẏ̄, x̄ = ∂s/∂x, t̄ = ∂s/∂t, θ̄ += ∂s/∂θ.
    public typealias TangentReverse =
      @Sendable (
        Int, Span<Double>, Span<Scalar>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>,
        inout MutableSpan<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>
      ) -> Void

    public let evaluate: Evaluate
    /// Needed for solves with a trace other than `Trace.none`.
    public let tangent: Tangent?
    /// Needed for gradients.
    public let reverse: Reverse?
    /// Needed for gradients of solves with a trace other than `Trace.none`.
    public let tangentReverse: TangentReverse?

    public init(
      evaluate: @escaping Evaluate, tangent: Tangent? = nil, reverse: Reverse? = nil,
      tangentReverse: TangentReverse? = nil
    ) {
      self.evaluate = evaluate
      self.tangent = tangent
      self.reverse = reverse
      self.tangentReverse = tangentReverse
    }
  }
}
