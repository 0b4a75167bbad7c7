import ContinuousFlows

/// Methods that ask for something of the model, or of other settings.
extension Settings {
  /// A method without an error estimate cannot choose its own steps.
  func validateMethods() throws {
    try validateMethod(solver, .solver, fixedSteps: fixedSteps, mend: "--fixed-steps N or --step-size H")
    try validateMethod(
      evaluationSolver, .evaluationSolver, fixedSteps: evaluationFixedSteps, mend: "--evaluation-fixed-steps N")
  }

  private func validateMethod(_ name: String, _ key: Key, fixedSteps: Int, mend: String) throws {
    try require(name, key, among: Methods.names)
    // What nothing is solved by is refused as such, and not mended.
    guard !isUnused(key) else { return }
    guard try Methods.named(name).isAdaptive || fixedSteps > 0 else {
      throw CommandFailure(
        .usage, "\(key.rawValue) is \(name), which cannot choose its own steps: give \(mend) with it")
    }
  }

  /// Throws a usage failure where a Rosenbrock method is to do what its linear systems rule out: they are solved in full precision,
  /// by exact tangents, whatever divergence is asked for.
  func validateRosenbrock(_ key: Key, _ name: String, trace: String, precision: String) throws {
    guard try Methods.named(name).family == .rosenbrock else { return }
    guard precision == Precision.full.rawValue else {
      throw CommandFailure(
        .usage,
        "\(key.rawValue) is \(name), which is for full precision, and precision is \(precision): leave one of them out")
    }
    guard ![Trace.hutchinson, .exactProduct].map(\.rawValue).contains(trace) else {
      throw CommandFailure(
        .usage,
        "\(key.rawValue) is \(name), which takes tangents of every row anyway, and the trace is \(trace): take exact or "
          + "automatic")
    }
  }

  /// Partitioned methods are symplectic where positions' rates depend on momenta alone and momenta's on positions: for a separable
  /// energy. (Hairer, Lubich and Wanner, Geometric Numerical Integration, section VI.3.)
  ///
  /// - Parameters:
  ///   - keys: those of the methods that are looked at.
  ///   - isKnown: whether these are the settings that the model was trained by.
  /// - Returns: what to remark of another field, for which they are of order 1 (cnf.h); nil: nothing.
  /// - Throws: a usage failure for an energy that is not separable, where structure is what was meant.
  func remarkOnPartitioned(_ keys: [Key], isKnown: Bool = true) throws -> String? {
    let methods = [Key.solver: solver, .evaluationSolver: evaluationSolver]
    for key in keys where !isUnused(key) {
      guard let name = methods[key], try Methods.named(name).family == .partitioned else { continue }
      guard modelKind == .hamiltonian else {
        return
          "\(key.rawValue) is \(name), which is symplectic for a separable energy alone (--model hamiltonian --separable): "
          + "for \(model) it is of order 1"
      }
      guard isKnown else {
        return "\(key.rawValue) is \(name), which is symplectic where the energy is separable: the file does not say "
          + "whether it is"
      }
      guard separable else {
        throw CommandFailure(
          .usage,
          "\(key.rawValue) is \(name), which is symplectic for a separable energy alone: train with --separable, or take "
            + "another method, such as dopri5")
      }
    }
    return nil
  }
}
