import ContinuousFlows

/// What methods ask of the model and of other settings.
enum MethodRules {
  /// A method that a run solves by.
  private struct Choice {
    let key: String
    let method: SolverMethod
    let fixedSteps: Int
    let trace: Trace
    let precision: Precision
    /// The flags that give equal steps.
    let stepFlags: String
  }

  private static func training(_ settings: Settings) -> Choice {
    Choice(
      key: settings.name(\.solver), method: settings.solver, fixedSteps: settings.fixedSteps, trace: settings.trace,
      precision: settings.precision, stepFlags: "--fixed-steps N or --step-size H")
  }

  private static func evaluation(_ settings: Settings) -> Choice {
    Choice(
      key: settings.name(\.evaluationSolver), method: settings.evaluationSolver,
      fixedSteps: settings.evaluationFixedSteps, trace: settings.evaluationTrace, precision: .full,
      stepFlags: "--\(settings.name(\.evaluationFixedSteps)) N")
  }

  /// The methods that are used: that of training if training solves, and that of evaluation.
  private static func choices(_ settings: Settings, trains: Bool) -> [Choice] {
    guard settings.model.features.contains(.solver) else { return [] }
    return (trains && settings.objective.features.contains(.solves) ? [training(settings)] : []) + [
      evaluation(settings)
    ]
  }

  static let refusals =
    [
      Refusal { settings in
        for choice in choices(settings, trains: !settings.isOfTrainedModel) where !choice.method.row.isAdaptive {
          guard choice.fixedSteps == 0 else { continue }
          return
            "\(choice.key) is \(choice.method.name), which cannot choose its own steps: give \(choice.stepFlags) with it"
        }
        return nil
      },
      Refusal(.training) { settings in
        let steps = [(settings.name(\.firstStep), settings.firstStep), (settings.name(\.maxStep), settings.maxStep)]
        guard let given = steps.first(where: { $0.1 > 0 }) else { return nil }
        let choices = choices(settings, trains: true)
        guard !choices.isEmpty, choices.allSatisfy({ $0.fixedSteps > 0 }) else { return nil }
        return "\(given.0) is \(given.1.text), which fixed steps do not use: leave --\(given.0) out"
      },
      Refusal { settings in rosenbrock(choices(settings, trains: false)) },
      Refusal { settings in
        guard settings.frobenius > 0, settings.trace == .exactProduct else { return nil }
        return
          "frobenius needs the tangents of a trace, and trace exactProduct computes none: give --trace automatic with it"
      },
      Refusal(.training) { settings in rosenbrock(choices(settings, trains: true)) },
    ] + gradients

  /// Rosenbrock methods solve linear systems of exact tangents in full precision.
  private static func rosenbrock(_ choices: [Choice]) -> String? {
    for choice in choices where choice.method.row.family == .rosenbrock {
      let name = "\(choice.key) is \(choice.method.name)"
      if choice.precision != .full {
        return "\(name), which needs full precision, and precision is \(choice.precision.text): leave one of them out"
      }
      if [.hutchinson, .exactProduct].contains(choice.trace) {
        return
          "\(name), which computes every tangent anyway, and the trace is \(choice.trace.text): give trace exact or "
          + "automatic"
      }
    }
    return nil
  }

  /// Which gradients go with which methods, precisions and backends.
  private static let gradients: [Refusal] = [
    gradient { settings in
      let method = settings.solver
      switch (method.row.family, settings.adjoint) {
      case (.implicitAdams, .everyStep):
        return "solver is \(method.name), which has no discrete gradient to train by: give --adjoint continuous with it"
      case (.reversible, .continuous):
        return "solver is \(method.name), which has no continuous adjoint: give --adjoint reversible with it, or leave "
          + "--adjoint out"
      case (.reversible, .reversible): return nil
      case (_, .reversible):
        return "adjoint is reversible, but solver \(method.name) is not: give --solver reversible_heun with it"
      default: return nil
      }
    },
    gradient { settings in
      guard settings.adjoint == .continuous(), settings.precision != .full else { return nil }
      return "adjoint is continuous, which needs full precision: leave --precision out"
    },
    gradient { settings in
      guard settings.backend != .c, [.binomial(), .automatic()].contains(settings.adjoint) else { return nil }
      return
        "adjoint is \(settings.adjoint.text), which backend \(settings.backend.rawValue) does not have: give --adjoint "
        + "every-8, or leave --backend out"
    },
    gradient { settings in
      guard settings.backend != .c, settings.precision != .full else { return nil }
      return "precision is mixed, which backend \(settings.backend.rawValue) does not have: leave --backend out"
    },
  ]

  /// A row for runs whose training differentiates steps.
  private static func gradient(_ sentence: @escaping @Sendable (Settings) -> String?) -> Refusal {
    Refusal(.training) { settings in
      settings.model.features.contains(.stepGradient) && settings.objective.features.contains(.solves)
        ? sentence(settings) : nil
    }
  }

  /// A remark for a relative tolerance below one unit in the last place of float32, to which the kernels raise it; nil:
  /// there is none.
  ///
  /// - Parameter trains: whether the tolerance of training counts, too.
  static func remarkOnTolerance(_ settings: Settings, trains: Bool) -> String? {
    guard settings.stateType == .float32, settings.model.features.contains(.solver) else { return nil }
    let evaluation = (settings.name(\.evaluationRtol), settings.evaluationRtol)
    let tolerances = trains ? [(settings.name(\.rtol), settings.rtol), evaluation] : [evaluation]
    guard let low = tolerances.first(where: { $0.1 < Double(Float.ulpOfOne) }) else { return nil }
    return "\(low.0) is \(low.1.text), below the rounding of float32, so solves use 1.2e-7"
      + (trains ? "" : ": give --dtype float64 with it for more digits")
  }

  /// Partitioned methods are symplectic where positions' rates depend on momenta alone and momenta's on positions: for
  /// a separable energy. (Hairer, Lubich and Wanner, Geometric Numerical Integration, section VI.3.)
  ///
  /// - Parameters:
  ///   - trains: whether the method of training counts, too.
  ///   - isKnown: whether these are the settings that the model was trained by.
  /// - Returns: a remark for another field, for which these methods have order 1 (cnf.h); nil: there is none.
  /// - Throws: a usage failure for an energy that is not separable, since structure is what was asked for.
  static func remarkOnPartitioned(_ settings: Settings, trains: Bool, isKnown: Bool = true) throws -> String? {
    for choice in choices(settings, trains: trains) where choice.method.row.family == .partitioned {
      let name = "\(choice.key) is \(choice.method.name)"
      guard settings.model.features.contains(.energy) else {
        let kinds = ModelKind.all.filter { $0.features.contains(.energy) }.map(\.word)
        return
          "\(name), which is symplectic only for a separable energy (--model \(Settings.list(kinds, "or")) --separable): "
          + "for \(settings.model.word) it has order 1"
      }
      guard isKnown else {
        return "\(name), which is symplectic only for a separable energy: the file does not say whether it is separable"
      }
      guard settings.separable else {
        throw CommandFailure(
          .usage,
          "\(name), which is symplectic only for a separable energy: train with --separable, or take another method, such "
            + "as dopri5")
      }
    }
    return nil
  }
}
