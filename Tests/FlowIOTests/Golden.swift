import Foundation

/// The reference files that `Golden/make_golden.py` writes with NumPy and PyPI's safetensors.
enum Golden {
  /// The elements, in C order, of the arrays of shape [2, 3].
  static let values = [0, 1, 2, 3, 100, 127]

  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)").path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try readBytes(path(name))
  }
}

/// The content of a file, read by Foundation and not by the code under test.
func readBytes(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The error that `body` throws, or nil.
func error<Failure: Error>(_ body: () throws(Failure) -> Void) -> Failure? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
