import FieldPrograms

/// How a step is computed from a method's coefficients.
enum StepScheme: Sendable {
  /// The stages of a Runge-Kutta tableau.
  case stages
  /// An Adams method, which keeps slopes of past steps and starts with the stages of a tableau.
  case adams(isImplicit: Bool, mostSlopes: Int)
  /// The stages of a Rosenbrock method.
  case rosenbrock(ButcherTableau.Rosenbrock)

  /// Whether a step needs the steps before it: lanes then start together.
  var isMultistep: Bool { if case .adams = self { true } else { false } }
  var isRosenbrock: Bool { if case .rosenbrock = self { true } else { false } }
}
