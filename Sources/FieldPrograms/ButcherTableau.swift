/// The kind of an integration method, which tells what its coefficients mean.
public enum MethodFamily: Sendable, Equatable {
  /// Explicit Runge-Kutta: `kᵢ = f(t + cᵢh, x + h Σⱼ aᵢⱼkⱼ)`.
  case rungeKutta
  /// Adams-Bashforth, whose first steps are those of `rk4_38`. a, b and e are empty.
  case explicitAdams
  /// Adams-Moulton, solved by an iteration that starts from Adams-Bashforth. Its first steps are those of `rk4_38`. a,
  /// b and e are empty.
  case implicitAdams
  /// Rosenbrock: linearly implicit, for stiff fields. a, b and e belong to transformed stages, which `cnf.h` defines.
  case rosenbrock
  /// Symplectic, for states of positions (the first half of the rows) and momenta (the second half). a and b are for
  /// the positions, `momenta` for the momenta.
  case partitioned
  /// Reversible Heun. Its steps can be computed backward, so `AdjointSchedule.reversible` stores no states.
  case reversible
}

/// An integration method with its coefficients.
///
/// A step of length h of a Runge-Kutta or Rosenbrock method is `x′ = x + h Σᵢ bᵢkᵢ`, and its estimated error is
/// `h Σᵢ eᵢkᵢ`. The slopes of a Runge-Kutta method are `kᵢ = f(t + cᵢh, x + h Σⱼ aᵢⱼkⱼ)`. The C library has the only
/// copy of the coefficients; `Methods` reads them from there.
public struct ButcherTableau: Sendable, Equatable {
  public let name: String
  public let family: MethodFamily
  /// A second name of the method, if it has one.
  public let alias: String?
  public let citation: String
  /// The order of the solution x′.
  public let order: Int
  /// The order of the embedded solution, which the error estimate compares with; 0 if there is none.
  public let embeddedOrder: Int
  /// `[stages][stages]`, strictly lower triangular. Adams methods have no stages.
  public let a: [[Double]]
  public let b: [Double]
  /// `[stages]`, the times of the stages as fractions of a step. Only Runge-Kutta methods have them here.
  public let c: [Double]
  /// `[stages]`, the weights of the error estimate; empty if there is none.
  public let e: [Double]
  /// Whether the last slope of a step is also the first slope of the next step (FSAL).
  public let isFirstSameAsLast: Bool
  /// The coefficients for the momenta, the second half of the rows; nil unless the method is partitioned.
  public let momenta: Momenta?
  /// The other coefficients of a Rosenbrock method; nil unless the method is one.
  public let rosenbrock: Rosenbrock?

  /// The coefficients of a partitioned method for the momenta, with the shapes of `a` and `b`.
  public struct Momenta: Sendable, Equatable {
    public let a: [[Double]]
    public let b: [Double]

    public init(a: [[Double]], b: [Double]) {
      self.a = a
      self.b = b
    }
  }

  /// The coefficients of a Rosenbrock method in addition to `a`, `b` and `e`, all for transformed stages:
  /// `(1/γ − hJ) kᵢ = f(t + αᵢh, x + h Σⱼ aᵢⱼkⱼ) + Σⱼ cᵢⱼkⱼ + dᵢ h ∂f/∂t`.
  public struct Rosenbrock: Sendable, Equatable {
    /// γ, the same for every stage.
    public let gamma: Double
    /// `[stages][stages]`, strictly lower triangular.
    public let c: [[Double]]
    /// `[stages]`; stage i is at time `t + αᵢh`.
    public let alpha: [Double]
    /// `[stages]`, the weights of `∂f/∂t`.
    public let d: [Double]
    /// `[stages]`, the weights of the second and third power in dense output, which has order 3.
    public let second: [Double]
    public let third: [Double]

    public init(gamma: Double, c: [[Double]], alpha: [Double], d: [Double], second: [Double], third: [Double]) {
      self.gamma = gamma
      self.c = c
      self.alpha = alpha
      self.d = d
      self.second = second
      self.third = third
    }
  }

  /// Whether the method has the exact gradient of its steps. implicit_adams does not, because an iteration ends its
  /// steps; it has the continuous adjoint only.
  public var hasDiscreteGradient: Bool { family != .implicitAdams }

  public init(
    name: String, family: MethodFamily = .rungeKutta, alias: String? = nil, citation: String, order: Int,
    embeddedOrder: Int, a: [[Double]], b: [Double], c: [Double], e: [Double], isFirstSameAsLast: Bool,
    momenta: Momenta? = nil, rosenbrock: Rosenbrock? = nil
  ) {
    self.name = name
    self.family = family
    self.alias = alias
    self.citation = citation
    self.order = order
    self.embeddedOrder = embeddedOrder
    self.a = a
    self.b = b
    self.c = c
    self.e = e
    self.isFirstSameAsLast = isFirstSameAsLast
    self.momenta = momenta
    self.rosenbrock = rosenbrock
  }

  public var stages: Int { b.count }
  public var isAdaptive: Bool { !e.isEmpty }
}
