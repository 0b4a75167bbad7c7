import CNFKernels

/// The reason why the kernels refused a call. A refused call writes no results.
public enum KernelError: Error, Sendable, Equatable {
  /// The C library refused a call: its status and message, and the call and its arguments in words.
  case refused(status: Int32, message: String, context: String)
  /// There is no method of this name. `suggestions` are similar names, and `known` are all names.
  case unknownMethod(name: String, suggestions: [String], known: [String])
  /// The value of an option is out of its range.
  case invalidOption(name: String, value: String, allowed: String)
  /// The matrix has no Cholesky factor, because its leading minor of this order is not positive.
  case notPositiveDefinite(order: Int)
  /// The matrix of this order has no inverse, because this pivot (counted from 1) is exactly 0.
  case singular(order: Int, pivot: Int)
}

extension KernelError {
  /// Throws `KernelError.refused` unless `status` is `CNF_OK`.
  static func check(_ status: cnf_status, _ context: @autoclosure () -> String) throws(KernelError) {
    guard status != CNF_OK else { return }
    throw .of(status, sentence: "", context())
  }

  /// - Parameter sentence: which option it is, in the names of cnf.h; empty: the status alone tells.
  static func of(_ status: cnf_status, sentence: String, _ context: String) -> KernelError {
    let code = Int32(truncatingIfNeeded: status.rawValue)
    let message = String(cString: cnf_status_message(code))
    return .refused(
      status: code, message: sentence.isEmpty ? message : "\(message) (\(sentence))", context: context)
  }
}
