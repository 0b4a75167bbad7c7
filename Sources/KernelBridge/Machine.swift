import CNFKernels
import COpenBLAS

/// The loaded C library and the processor that this program runs on.
public enum Machine {
  /// The version of the loaded kernels, such as "0.1.0".
  public static var kernelVersion: String { String(cString: cnf_version()) }

  /// The instruction set that `InstructionSet.automatic` chooses; nil if the environment variable `CNF_ISA` names none
  /// that is available.
  public static var instructionSet: InstructionSet? {
    let best = cnf_isa_best()
    return best == 0 ? nil : InstructionSet(rawValue: best)
  }

  /// The instruction sets that this machine can run.
  public static var availableInstructionSets: [InstructionSet] {
    InstructionSet.allCases.filter { $0 != .automatic && $0.isAvailable }
  }

  /// The number of threads that a solver uses if its options do not set one.
  public static var threadCount: Int { Int(cnf_thread_count()) }

  /// OpenBLAS's description of its version, options and processor core.
  public static var blasConfiguration: String { String(cString: openblas_get_config()) }
}
