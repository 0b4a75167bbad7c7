import CNFKernels

/// The instruction sets that the kernels are compiled for. The raw values are those of `cnf_isa`.
public enum InstructionSet: Int32, Sendable, CaseIterable {
  /// The environment variable `CNF_ISA=generic|avx2|avx512|avx512bf16|neon` if it is set, else the best one that this
  /// machine can run.
  case automatic = 0
  case generic = 1
  case avx2 = 2
  case avx512 = 3
  case neon = 4
  case avx512bf16 = 5

  /// Whether this machine can run this instruction set.
  public var isAvailable: Bool { self == .automatic || cnf_isa_is_available(rawValue) != 0 }
}
