import CLibrary
import ContinuousFlows

/// What of the kernels can be wrong before anything is computed.
enum Kernels {
  /// The instruction set in use; an environment that asks for one that is not there is a usage error.
  @discardableResult
  static func instructionSet() throws -> InstructionSet {
    if let instructionSet = Machine.instructionSet { return instructionSet }
    let asked = getenv("CNF_ISA").map { String(cString: $0) } ?? ""
    let names = Machine.availableInstructionSets.map(\.description)
    throw CommandFailure(
      .usage,
      "the environment's CNF_ISA is '\(asked)', which this machine does not have: unset it or set it to "
        + names.joined(separator: ", "))
  }
}
