import CNFKernels

/// Owns a `cnf_solver`.
struct SolverHandle: ~Copyable {
  let pointer: OpaquePointer
  private let callbacks: [CallbackContext]

  /// Creates a solver. The C library copies the tolerances per row; if they are nil, it uses those of `options`.
  init(
    field: borrowing FieldHandle, options: cnf_solver_options, relativeTolerances: [Double]?,
    absoluteTolerances: [Double]?, context: @autoclosure () -> String
  ) throws(KernelError) {
    var created: OpaquePointer?
    var options = options
    let fieldPointer = field.pointer
    let refusal = Self.lend(relativeTolerances) { rtol in
      Self.lend(absoluteTolerances) { atol -> (status: cnf_status, sentence: String)? in
        options.rtol_rows = rtol
        options.atol_rows = atol
        let status = cnf_solver_create(fieldPointer, &options, &created)
        return status == CNF_OK ? nil : (status, Self.explanation(fieldPointer, &options))
      }
    }
    if let refusal { throw .of(refusal.status, sentence: refusal.sentence, context()) }
    pointer = created!
    callbacks = field.callbacks
  }

  /// Why the library refuses `options`; empty if it has no sentence for it.
  private static func explanation(_ field: OpaquePointer, _ options: inout cnf_solver_options) -> String {
    // cnf.h: 256 characters hold every sentence.
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
      text.initialize(repeating: 0)
      _ = cnf_solver_options_explain(field, &options, text.baseAddress, text.count)
      return String(cString: text.baseAddress!)
    }
  }

  private static func lend<Result>(_ numbers: [Double]?, _ body: (UnsafePointer<Double>?) -> Result) -> Result {
    guard let numbers else { return body(nil) }
    return numbers.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  deinit { cnf_solver_destroy(pointer) }

  /// The choices that the solver made, such as its trace, instruction set, lanes and threads.
  var info: cnf_solver_info {
    var info = cnf_solver_info()
    info.struct_size = MemoryLayout<cnf_solver_info>.size
    let status = cnf_solver_get_info(pointer, &info)
    precondition(status == CNF_OK, "a live solver has no information")
    return info
  }
}
