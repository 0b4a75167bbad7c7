import ContinuousFlows

/// How validation, held-out figures, plots and later commands solve: usually more accurately than training.
struct EvaluationSettings: SettingsSection {
  static let title = "Solver of validation, evaluation and sampling"

  let evaluationSolver = Setting<SolverMethod>(
    "evaluation-solver", default: .dopri5, use: .models(.solver), help: "Method.")

  let evaluationRtol = Setting<Double>(
    "evaluation-rtol", default: 1e-5, .positive, use: .models(.solver), resets: ["evaluation-fixed-steps"],
    help: "Relative tolerance of adaptive steps.")

  let evaluationAtol = Setting<Double>(
    "evaluation-atol", default: 1e-5, .positive, use: .models(.solver), resets: ["evaluation-fixed-steps"],
    help: "Absolute tolerance of adaptive steps.")

  let evaluationFixedSteps = Setting<Int>(
    "evaluation-fixed-steps", default: 0, .within(1...1_000_000, zero: "adaptive steps"), use: .models(.solver),
    stepLength: StepLength(key: "evaluation-step-size", help: "Length of equal steps, instead of their number."),
    help: "Number of equal steps from 0 to T, instead of adaptive steps.")

  let evaluationTrace = Setting<Trace>(
    "evaluation-trace", default: .exact, use: .models(.divergence),
    help: """
      Divergence of the field: exact, hutchinson (an unbiased estimate with random probes), automatic (exact where that is \
      cheap), or one exact form: exactTangents, exactProduct.
      """)
}
