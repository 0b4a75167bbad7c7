/// An operation that the host computes: `y = g(x, t; θ)`, `x` being the rows of its input block, `θ` parameters of its own.
///
/// Slower than the built-in operations, and in every other respect one of them: alone or among others, with divergence
/// and exact gradient, by the C kernels and by `PureSwift`. Which scalars it serves is a matter of which functions it is given;
/// `Functions` says what they must keep to.
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
/// Two callbacks are equal when they are the same object: closures cannot be compared.
public final class FieldCallback: Sendable {
  /// For messages.
  public let name: String
  /// Parameters of its own, which lie in the program's flat array after those of earlier operations.
  public let parameterCount: Int
  public let float: Functions<Float>?
  public let double: Functions<Double>?

  public init(
    name: String, parameterCount: Int = 0, float: Functions<Float>? = nil, double: Functions<Double>? = nil
  ) {
    precondition(parameterCount >= 0, "callback '\(name)' has \(parameterCount) parameters")
    precondition(float != nil || double != nil, "callback '\(name)' has functions for no scalar")
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

extension FieldCallback: CustomStringConvertible {
  public var description: String { "'\(name)'" }
}

extension FieldCallback: Equatable {
  public static func == (first: FieldCallback, second: FieldCallback) -> Bool { first === second }
}

extension FieldCallback {
  /// What a callback computes, over a tile of `lanes` samples side by side.
  ///
  /// Spans are feature-major: row r of lane j at `r * lanes + j`. With J = ∂y/∂x, in the order of the arguments:
  ///
  /// | argument | shape | |
  /// |---|---|---|
  /// | `t` | `[lanes]` | a time of its own for each lane |
  /// | `x`, `xDot`, `xBar`, `xDotBar` | `[rows of the input][lanes]` | value, tangent, cotangents of both |
  /// | `parameters` | `[parameterCount]` | |
  /// | `y`, `yDot`, `yBar`, `yDotBar` | `[rows][lanes]` | |
  /// | `tBar` | `[lanes]` | |
  /// | `parametersBar` | `[parameterCount]` | a sum that is added to, over all lanes in a fixed order |
  ///
  /// - `y` and `yDot` are to be written whole; `xBar`, `xDotBar` and `tBar` are 0 at the call.
  /// - What is written to a lane depends on that lane's numbers alone, in the same way at every place and for every number
  ///   of lanes: that a sample's answer is its own rests on it. A lane fails by becoming NaN.
  /// - Lanes without a sample hold numbers of no meaning, NaN among them; in the reverse functions they hold those of another
  ///   lane with cotangents of 0, and must add exactly 0 to `parametersBar`.
  /// - They are called from several threads at a time; numbers must depend on the arguments alone.
  public struct Functions<Scalar: FlowScalar>: Sendable {
    /// `(lanes, t, x, parameters, y)`: y = g(x, t).
    public typealias Evaluate =
      @Sendable (Int, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    /// `(lanes, t, x, parameters, xDot, yDot)`: ẏ = J ẋ.
    public typealias Tangent =
      @Sendable (Int, Span<Scalar>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    /// `(lanes, t, x, parameters, yBar, xBar, tBar, parametersBar)`: x̄ = Jᵀȳ, t̄ = (∂y/∂t)ᵀȳ, θ̄ += (∂y/∂θ)ᵀȳ.
    public typealias Reverse =
      @Sendable (
        Int, Span<Scalar>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>,
        inout MutableSpan<Scalar>, inout MutableSpan<Scalar>
      ) -> Void
    /// `(lanes, t, x, parameters, xDot, yDotBar, xBar, xDotBar, tBar, parametersBar)`, of s = ẏ̄ᵀ J(x, t; θ) ẋ lane by lane:
    /// ẋ̄ = Jᵀẏ̄, x̄ = ∂s/∂x, t̄ = ∂s/∂t, θ̄ += ∂s/∂θ.
    public typealias TangentReverse =
      @Sendable (
        Int, Span<Scalar>, Span<Scalar>, Span<Scalar>, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>,
        inout MutableSpan<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>
      ) -> Void

    public let evaluate: Evaluate
    /// nil: solves with `Trace.none` only.
    public let tangent: Tangent?
    /// nil: no gradients.
    public let reverse: Reverse?
    /// nil: gradients with `Trace.none` only.
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
