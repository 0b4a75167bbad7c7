import CNFKernels

extension InstructionSet: CustomStringConvertible {
  public var description: String {
    self == .automatic ? "automatic" : String(cString: cnf_isa_name(rawValue))
  }
}
