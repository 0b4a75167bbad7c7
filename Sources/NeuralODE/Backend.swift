/// The code that runs a field program.
public enum Backend: String, Sendable, CaseIterable, Codable {
  /// The C kernels: vectorised, on several threads.
  case c
  /// Pure Swift: the implementation to compare with.
  case swift
}
