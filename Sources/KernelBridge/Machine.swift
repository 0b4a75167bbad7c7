import CNFKernels
import COpenBLAS

/// What this program runs on: the library that is loaded and the processor it found.
public enum Machine {
  /// Version of the kernels that are loaded, such as "0.1.0".
  public static var kernelVersion: String { String(cString: cnf_version()) }

  /// What `InstructionSet.automatic` means now; nil where the environment's `CNF_ISA` names none that is available.
  public static var instructionSet: InstructionSet? {
    let best = cnf_isa_best()
    return best == 0 ? nil : InstructionSet(rawValue: best)
  }

  /// Those that this machine can run.
  public static var availableInstructionSets: [InstructionSet] {
    InstructionSet.allCases.filter { $0 != .automatic && $0.isAvailable }
  }

  /// Threads that a solver uses when its options name no number.
  public static var threadCount: Int { Int(cnf_thread_count()) }

  /// OpenBLAS's own description of its version, options and core.
  public static var blasConfiguration: String { String(cString: openblas_get_config()) }
}
