import FieldPrograms

/// Why a solver could not be made, or a problem not be solved. A sample that fails has a status instead.
public enum PureSwiftError: Error, Equatable {
  /// The last block of the program is not `dx/dt`.
  case incompleteProgram(stateDimension: Int, lastRows: Int)
  /// A tableau's arrays do not have the lengths its number of stages asks for.
  case malformedTableau(String)
  /// A Rosenbrock method whose numbers this module does not have.
  case unknownRosenbrockMethod(String)
  /// An Adams method without the tableau that it starts by.
  case noStartingTableau(String)
  /// A gradient of a method that has none, or none of the schedule asked for.
  case methodHasNoGradient(String)
  /// Adaptive steps were asked of a method without an error estimate.
  case notAdaptive(String)
  /// One step size for the whole batch.
  case batchControl
  /// A method that the C kernels alone have.
  case noTwin(String)
  /// Products in bfloat16.
  case mixedPrecision
  /// A gradient by steps that are undone.
  case reversibleAdjoint
  /// The trace asked for by name does not fit the program.
  case traceDoesNotFit(Trace)
  /// The trace asked for by name does not go with the method.
  case traceDoesNotFitMethod(Trace, method: String)
  /// The Frobenius norm was asked for beside a trace, asked for by name, that takes no tangents.
  case traceHasNoTangents(Trace)
  /// A loss has a coefficient for a regulariser that the solver does not integrate, or one that is not finite.
  case invalidRegularisation(Regularisation)
  /// An option is out of its range; says which, and what it may be.
  case invalidOption(String)
  /// An array of the problem has `actual` entries where `expected` are needed.
  case wrongLength(array: String, actual: Int, expected: Int)
  /// The states' length is not a multiple of the state dimension.
  case raggedStates(length: Int, stateDimension: Int)
  /// The start or end time is infinite or not a number.
  case timeNotFinite(Double)
  /// A callback has no functions for the scalar, or not the one that is needed.
  case callbackLacks(callback: String, function: String)
  /// Step fractions do not rise from 0 to 1.
  case invalidStepFractions
  /// Checkpoints in a budget of bytes.
  case checkpointBudget
  /// Events that end samples.
  case events
  /// Step fractions of a multistep method that are not equal.
  case unequalSteps
  /// Output times that do not run from the start to the end, or do not go with what is asked for; says which.
  case outputTimes(String)
}

extension PureSwiftError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .incompleteProgram(let dimension, let rows):
      "the field program's last block has \(rows) rows, but the state has \(dimension): it cannot be dx/dt"
    case .malformedTableau(let name):
      "the tableau of method '\(name)' is malformed: a, b, c and e must have one entry per stage"
    case .unknownRosenbrockMethod(let name):
      "method '\(name)' is not supported by the Swift backend: use another, or the C kernels"
    case .noStartingTableau(let name):
      "method '\(name)' needs the tableau of \(PureSwiftSolver<Double>.startingMethod), by which it starts"
    case .methodHasNoGradient(let name):
      "method '\(name)' has no such gradient: Adams methods have the continuous adjoint alone, Rosenbrock methods none"
    case .notAdaptive(let name):
      "method '\(name)' has no error estimate: give it fixed steps"
    case .batchControl:
      "one step size for the whole batch is not supported by the Swift backend: use per-sample or fixed steps"
    case .noTwin(let method): "the method '\(method)' is not supported by the Swift backend: use the C kernels"
    case .mixedPrecision:
      "mixed precision is not supported by the Swift backend: use full precision, or the C kernels"
    case .reversibleAdjoint:
      "the reversible adjoint is not supported by the Swift backend: use every step, or reversible_heun of the C kernels"
    case .checkpointBudget:
      "binomial and automatic adjoints are not supported by the Swift backend: use every step or every k-th, or the C kernels"
    case .traceDoesNotFit(let trace):
      "the trace '\(trace.rawValue)' does not fit the field program: it needs at most two hidden layers on [x] or [x, t]"
    case .traceDoesNotFitMethod(let trace, let method):
      "the trace '\(trace.rawValue)' does not go with method '\(method)', which takes exact tangents: use exact or none"
    case .traceHasNoTangents(let trace):
      "the Frobenius norm needs the tangents of a trace, and '\(trace.rawValue)' takes none: use hutchinson or exact"
    case .invalidRegularisation(let given):
      "the regularisers' coefficients are \(given.kineticEnergy) and \(given.frobeniusNorm): they must be finite, and 0 for a "
        + "regulariser that the solver's options do not integrate"
    case .invalidOption(let what): what
    case .wrongLength(let array, let actual, let expected):
      "\(array) has \(actual) entries, but \(expected) are needed"
    case .raggedStates(let length, let dimension):
      "states has \(length) entries, which is not a multiple of the state dimension \(dimension)"
    case .timeNotFinite(let time): "start and end times must be finite, but one is \(time)"
    case .callbackLacks(let callback, let function): "callback '\(callback)' has no \(function), which this needs"
    case .invalidStepFractions: "step fractions must rise from 0 to 1"
    case .events: "events are not supported by the Swift backend: use the C kernels"
    case .unequalSteps: "a multistep method needs equal steps"
    case .outputTimes(let what): what
    }
  }
}
