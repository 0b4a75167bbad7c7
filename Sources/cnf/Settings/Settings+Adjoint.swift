import ContinuousFlows

/// How a gradient is made, in the words of `--adjoint`.
extension Settings {
  static let everyStep = "every-step"
  static let continuous = "continuous"
  static let reversible = "reversible"
  /// Those with a budget of bytes.
  static let budgeted = ["binomial", "automatic"]
  private static let adjoints = [everyStep, "every-8"] + budgeted + [continuous, reversible]
  private static let mostEvery = 1 << 24

  /// nil: no such word.
  var adjointSchedule: AdjointSchedule? {
    let bytes = adjointBytes == 0 ? nil : adjointBytes
    switch adjoint {
    case Self.everyStep: return .everyStep
    case "binomial": return .binomial(bytes: bytes)
    case "automatic": return .automatic(bytes: bytes)
    case Self.continuous: return .continuous()
    case Self.reversible: return .reversible
    default:
      guard adjoint.hasPrefix("every-"), let count = Int(adjoint.dropFirst("every-".count)),
        1...Self.mostEvery ~= count
      else { return nil }
      return .every(count)
    }
  }

  func validateAdjoint() throws {
    guard adjointSchedule != nil else {
      let isCount =
        adjoint.hasPrefix("every-") && adjoint.dropFirst("every-".count).allSatisfy { "-0123456789".contains($0) }
      let mend =
        isCount
        ? "write a number of steps from 1 to \(Self.mostEvery), such as every-8"
        : Suggestion.sentence(for: adjoint, among: Self.adjoints)
      throw CommandFailure(.usage, "adjoint '\(adjoint)' is not known: \(mend)")
    }
    guard adjointBytes >= 0 else {
      throw CommandFailure(
        .usage, "adjoint-bytes is \(adjointBytes), must be a positive whole number, or 0 for the default")
    }
    guard adjointBytes == 0 || Self.budgeted.contains(adjoint) else {
      throw CommandFailure(
        .usage, "adjoint-bytes is for the adjoints binomial and automatic, not for \(adjoint): leave it out")
    }
  }
}
