extension KernelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(_, let message, let context): "\(context): \(message)"
    case .unknownMethod(let name, let suggestions, let known):
      suggestions.isEmpty
        ? "there is no method '\(name)'; the methods are: \(known.joined(separator: ", "))"
        : "there is no method '\(name)'; did you mean \(suggestions.joined(separator: " or "))?"
    case .invalidOption(let name, let value, let allowed): "\(name) is \(value), must be \(allowed)"
    case .notPositiveDefinite(let order):
      "the matrix is not positive definite: its leading minor of order \(order) is not positive"
    case .singular(let order, let pivot):
      "the matrix of order \(order) is singular, so it has no inverse and no density: its pivot \(pivot) is 0"
    }
  }
}
