import CNFKernels

/// Owns a `cnf_solver`.
struct SolverHandle: ~Copyable {
  let pointer: OpaquePointer

  init(
    field: borrowing FieldHandle, options: cnf_solver_options, context: @autoclosure () -> String
  ) throws(KernelError) {
    var created: OpaquePointer?
    let status = withUnsafePointer(to: options) { cnf_solver_create(field.pointer, $0, &created) }
    try KernelError.check(status, context())
    pointer = created!
  }

  deinit { cnf_solver_destroy(pointer) }

  /// What the solver came to.
  var info: cnf_solver_info {
    var info = cnf_solver_info()
    info.struct_size = MemoryLayout<cnf_solver_info>.size
    let status = cnf_solver_get_info(pointer, &info)
    precondition(status == CNF_OK, "a live solver has no information")
    return info
  }
}
