import ContinuousFlows

extension Settings {
  /// Throws a usage failure where the solver of training has no such gradient. Later commands evaluate in full precision, and
  /// differentiate nothing.
  func validateTrainingSolver() throws {
    let schedule = adjointSchedule ?? .everyStep
    let family = try Methods.named(solver).family
    switch (family, schedule) {
    case (.implicitAdams, .everyStep):
      throw CommandFailure(
        .usage, "solver is \(solver), which has no discrete gradient to train by: give --adjoint continuous with it")
    case (.reversible, .continuous):
      throw CommandFailure(
        .usage,
        "solver is \(solver), which has no continuous adjoint: give --adjoint reversible with it, or leave it out")
    case (.reversible, .reversible): break
    case (_, .reversible):
      throw CommandFailure(
        .usage, "adjoint is reversible, which \(solver) is not: give --solver reversible_heun with it")
    default: break
    }
    try validateRosenbrock(.solver, solver, trace: trace, precision: precision)
    guard !(schedule == .continuous()) || precision == Precision.full.rawValue else {
      throw CommandFailure(.usage, "adjoint is continuous, which is for full precision: leave --precision out")
    }
    guard backend == Backend.c.rawValue || !Self.budgeted.contains(adjoint) else {
      throw CommandFailure(
        .usage,
        "adjoint is \(adjoint), which the backend \(backend) does not have: take every-8, or leave --backend out")
    }
    guard precision == Precision.full.rawValue || backend == Backend.c.rawValue else {
      throw CommandFailure(
        .usage, "precision is mixed, which the backend \(backend) does not have: leave --backend out")
    }
  }
}
