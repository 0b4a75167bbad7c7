/// Who runs a field program.
public enum Backend: String, Sendable, CaseIterable, Codable {
  /// The C kernels: vectorised, on several threads.
  case c
  /// Swift alone: the path to compare with.
  case swift
}
