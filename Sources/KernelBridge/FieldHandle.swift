import CNFKernels

/// Owns a `cnf_field`.
struct FieldHandle: ~Copyable {
  let pointer: OpaquePointer

  /// Checks `program` and compiles it for `Scalar`; an error names the operation at fault with its rows.
  init<Scalar: FlowScalar>(_ program: FieldProgram, _: Scalar.Type) throws(KernelError) {
    let operations = program.operations.map(CType.of)
    var created: OpaquePointer?
    var badOperation: Int32 = -1
    let status = cnf_field_create_explained(
      try CType.of(Scalar.self), Int32(clamping: program.stateDimension), operations,
      Int32(clamping: operations.count), &created, &badOperation)
    try KernelError.check(status, Self.context(program, Int(badOperation)))
    pointer = created!
  }

  deinit { cnf_field_destroy(pointer) }

  private static func context(_ program: FieldProgram, _ operation: Int) -> String {
    let whole = "field program of \(program.operations.count) operations on \(program.stateDimension) rows"
    guard program.operations.indices.contains(operation) else {
      return program.blockRows.last.map { "\(whole), the last giving \($0)" } ?? whole
    }
    let rows = program.blockRows[operation + 1]
    return "\(whole), operation \(operation) (\(program.operations[operation]), \(rows) rows)"
  }
}
