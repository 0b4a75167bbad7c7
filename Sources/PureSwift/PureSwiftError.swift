import FieldPrograms

/// Why a solver could not be created, or a problem not be solved. A sample that fails has a status instead.
public enum PureSwiftError: Error, Equatable {
  /// The last block of the program is not `dx/dt`.
  case incompleteProgram(stateDimension: Int, lastRows: Int)
  /// The lengths of a tableau's arrays do not fit its number of stages.
  case malformedTableau(String)
  /// This module has no coefficients for the Rosenbrock method.
  case unknownRosenbrockMethod(String)
  /// The tableau of an Adams method's starting method is missing.
  case noStartingTableau(String)
  /// The method has no gradient, or none with the adjoint schedule asked for.
  case methodHasNoGradient(String)
  /// Adaptive steps need an error estimate, which the method does not have.
  case notAdaptive(String)
  /// Step control of the whole batch is not supported.
  case batchControl
  /// Only the C kernels have the method.
  case noTwin(String)
  /// Products in bfloat16 are not supported.
  case mixedPrecision
  /// A gradient by steps that are undone is not supported.
  case reversibleAdjoint
  /// The explicitly chosen trace does not fit the program.
  case traceDoesNotFit(Trace)
  /// The explicitly chosen trace does not work with the method.
  case traceDoesNotFitMethod(Trace, method: String)
  /// The Frobenius norm needs tangents, which the explicitly chosen trace does not compute.
  case traceHasNoTangents(Trace)
  /// A regulariser's coefficient is not finite, or the solver does not integrate the regulariser.
  case invalidRegularisation(Regularisation)
  /// An option is out of range; the text says which, and its range.
  case invalidOption(String)
  /// An array of the problem has `actual` entries where `expected` are needed.
  case wrongLength(array: String, actual: Int, expected: Int)
  /// The states' length is not a multiple of the state dimension.
  case raggedStates(length: Int, stateDimension: Int)
  /// The start or end time is infinite or not a number.
  case timeNotFinite(Double)
  /// A callback lacks the function needed for the scalar type.
  case callbackLacks(callback: String, function: String)
  /// Step fractions do not rise from 0 to 1.
  case invalidStepFractions
  /// Checkpoints within a budget of bytes are not supported.
  case checkpointBudget
  /// Events that end samples are not supported.
  case events
  /// Jump times of the field are not supported.
  case jumpTimes
  /// The step fractions of a multistep method must be equal.
  case unequalSteps
  /// The output times are not ordered from start to end, or do not work with another option; the text says which.
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
    case .jumpTimes: "jump times are not supported by the Swift backend: use the C kernels"
    case .unequalSteps: "a multistep method needs equal steps"
    case .outputTimes(let what): what
    }
  }
}
