/// What a method's coefficients belong to.
public enum MethodFamily: Sendable, Equatable {
  /// Explicit: `kᵢ = f(t + cᵢh, x + h Σⱼ aᵢⱼkⱼ)`.
  case rungeKutta
  /// Adams-Bashforth, from a start of `rk4_38`; a, b and e are empty.
  case explicitAdams
  /// Adams-Moulton, iterated from Adams-Bashforth, from the same start; a, b and e are empty.
  case implicitAdams
  /// Linearly implicit, for stiff fields: a, b and e belong to transformed stages, as `cnf.h` has them.
  case rosenbrock
  /// Symplectic, for states of positions and momenta, one half of the rows each: a and b move the positions, `momenta` the rest.
  case partitioned
  /// Reversible Heun: its steps can be undone, so `AdjointSchedule.reversible` needs no record of them.
  case reversible
}

/// A method: of Runge and Kutta `kᵢ = f(t + cᵢh, x + h Σⱼ aᵢⱼkⱼ)`; of these and Rosenbrock's `x′ = x + h Σᵢ bᵢkᵢ`, error
/// `h Σᵢ eᵢkᵢ`.
///
/// The numbers live in one place, the C library's table; this is the shape they travel in.
public struct ButcherTableau: Sendable, Equatable {
  public let name: String
  public let family: MethodFamily
  /// Another name of the method.
  public let alias: String?
  public let citation: String
  /// Order of the solution that is carried on.
  public let order: Int
  /// Order of the embedded solution; 0 where there is none.
  public let embeddedOrder: Int
  /// `[stages][stages]`, strictly lower triangular; Adams methods have no stages.
  public let a: [[Double]]
  public let b: [Double]
  /// Where stages are in time; of Runge-Kutta methods alone.
  public let c: [Double]
  /// Weights of the error estimate; empty where there is none.
  public let e: [Double]
  /// Whether the last stage is the first of the next step.
  public let isFirstSameAsLast: Bool
  /// Of partitioned methods, what moves the second half of the rows.
  public let momenta: Momenta?
  /// Of Rosenbrock methods, the numbers besides `a`, `b` and `e`.
  public let rosenbrock: Rosenbrock?

  /// A partitioned method's second pair of coefficients, shaped as `a` and `b`.
  public struct Momenta: Sendable, Equatable {
    public let a: [[Double]]
    public let b: [Double]

    public init(a: [[Double]], b: [Double]) {
      self.a = a
      self.b = b
    }
  }

  /// The numbers of a Rosenbrock method besides `a`, `b` and `e`, which belong to its transformed stages:
  /// `(1/γ − hJ) kᵢ = f(t + αᵢh, x + h Σⱼ aᵢⱼkⱼ) + Σⱼ cᵢⱼkⱼ + dᵢ h ∂f/∂t`.
  public struct Rosenbrock: Sendable, Equatable {
    /// The same for every stage.
    public let gamma: Double
    /// `[stages][stages]`, strictly lower triangular.
    public let c: [[Double]]
    /// Stage i is at `t + αᵢh`.
    public let alpha: [Double]
    /// Weights of `∂f/∂t`.
    public let d: [Double]
    /// Weights of the dense output's second and third power, which is of order 3.
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

  /// Whether it has the gradient of its own steps; implicit_adams, whose steps end where an iteration does, has the continuous one.
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
