/// Why a file that is sound as safetensors is not the flow or the checkpoint it should be.
public enum FlowFileError: Error, Sendable, Equatable {
  /// It is of another kind, or of no kind that this project writes.
  case wrongKind(path: String, found: String?, expected: String)
  case metadata(path: String, key: String, problem: String)
  case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
  /// Tensors that the model has no place for.
  case unexpectedTensors(path: String, names: [String])
  /// Weights hold an infinity or a NaN.
  case notFinite(path: String, tensor: String)
  /// No file can hold the flow.
  case notWritable(problem: String)
}
