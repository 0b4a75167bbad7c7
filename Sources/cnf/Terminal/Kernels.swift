import CLibrary
import ContinuousFlows

/// The check of the kernels before anything is computed.
enum Kernels {
  /// The instruction set in use.
  ///
  /// - Throws: a usage failure if the environment asks for one that this machine does not have.
  @discardableResult
  static func instructionSet() throws -> InstructionSet {
    if let instructionSet = Machine.instructionSet { return instructionSet }
    let asked = getenv("CNF_ISA").map { String(cString: $0) } ?? ""
    let names = Machine.availableInstructionSets.map(\.description)
    throw CommandFailure(
      .usage,
      "the environment variable CNF_ISA is '\(asked)', which this machine does not have: unset it, or set it to "
        + names.joined(separator: ", "))
  }
}
