import CNFKernels

/// Why the kernels refused a call. Nothing has been written when one is thrown.
public enum KernelError: Error, Sendable, Equatable {
  /// The C library's status and message, and what was being done with what.
  case refused(status: Int32, message: String, context: String)
  /// There is no method of this name.
  case unknownMethod(name: String, suggestions: [String], known: [String])
  /// An option's value is out of its range.
  case invalidOption(name: String, value: String, allowed: String)
  /// The matrix has no Cholesky factor: its leading minor of this order is not positive.
  case notPositiveDefinite(order: Int)
  /// The matrix of this order has no inverse: a pivot, counted from 1, is exactly 0.
  case singular(order: Int, pivot: Int)
}

extension KernelError {
  /// Throws unless `status` is `CNF_OK`.
  static func check(_ status: cnf_status, _ context: @autoclosure () -> String) throws(KernelError) {
    guard status != CNF_OK else { return }
    let code = Int32(truncatingIfNeeded: status.rawValue)
    throw .refused(status: code, message: String(cString: cnf_status_message(code)), context: context())
  }
}
