import CNFKernels

/// Owns a `cnf_field`.
struct FieldHandle: ~Copyable {
  let pointer: OpaquePointer
  /// The objects that C's callbacks point at. They must outlive all solvers that are made from the field.
  let callbacks: [CallbackContext]

  /// Checks `program` and compiles it for `Scalar`.
  ///
  /// - Throws: `KernelError`, which names the operation at fault and its number of rows.
  init<Scalar: FlowScalar>(_ program: FieldProgram, _: Scalar.Type) throws(KernelError) {
    var operations = program.operations.map(CType.of)
    let contexts = try Self.contexts(program, Scalar.self)
    let callbacks = contexts.map(\.callback)
    var created: OpaquePointer?
    var badOperation: Int32 = -1
    let type = try CType.of(Scalar.self)
    let status = callbacks.withUnsafeBufferPointer { callbacks in
      for (place, layout) in zip(callbacks.indices, program.callbackLayouts) {
        operations[layout.operation].callback = callbacks.baseAddress! + place
      }
      return cnf_field_create_explained(
        type, Int32(clamping: program.stateDimension), operations, Int32(clamping: operations.count),
        MemoryLayout<cnf_op>.size, &created, &badOperation)
    }
    try KernelError.check(status, Self.context(program, Int(badOperation)))
    pointer = created!
    self.callbacks = contexts
  }

  deinit { cnf_field_destroy(pointer) }

  private static func contexts<Scalar: FlowScalar>(
    _ program: FieldProgram, _: Scalar.Type
  ) throws(KernelError) -> [TypedCallbackContext<Scalar>] {
    var contexts: [TypedCallbackContext<Scalar>] = []
    for layout in program.callbackLayouts {
      guard let functions = layout.callback.functions(Scalar.self) else {
        throw .invalidOption(
          name: "scalar type of callback '\(layout.callback.name)'", value: "\(Scalar.self)",
          allowed: layout.callback.float == nil ? "Double" : "Float")
      }
      contexts.append(TypedCallbackContext(layout, functions))
    }
    return contexts
  }

  private static func context(_ program: FieldProgram, _ operation: Int) -> String {
    let whole = "field program of \(program.operations.count) operations on \(program.stateDimension) rows"
    guard program.operations.indices.contains(operation) else {
      return program.blockRows.last.map { "\(whole), whose last block has \($0) rows" } ?? whole
    }
    let rows = program.blockRows[operation + 1]
    return "\(whole), operation \(operation) (\(program.operations[operation]), \(rows) rows)"
  }
}
