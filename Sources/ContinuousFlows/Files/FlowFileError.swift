/// Why an intact safetensors file is not the expected flow or checkpoint.
public enum FlowFileError: Error, Sendable, Equatable {
  /// The file has another kind, or no kind that this project writes.
  case wrongKind(path: String, found: String?, expected: String)
  case metadata(path: String, key: String, problem: String)
  case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
  /// The file has tensors that the model does not have.
  case unexpectedTensors(path: String, names: [String])
  /// A tensor holds infinity or NaN.
  case notFinite(path: String, tensor: String)
  /// The flow cannot be written to a file.
  case notWritable(problem: String)
}
