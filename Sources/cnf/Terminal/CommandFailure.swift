/// Why a command ended without a result: one sentence for standard error, and the exit code.
struct CommandFailure: Error {
  /// The exit codes, those of sysexits.h where it has one; signals are 128 + their number.
  enum Kind {
    /// Wrong flags, words or settings: 64.
    case usage
    /// Data or files with wrong content: 65.
    case badData
    /// Any other failure: 1.
    case other
    /// Stopped by a signal, with everything saved.
    case signal(Int32)

    var exitCode: Int32 {
      switch self {
      case .usage: 64
      case .badData: 65
      case .other: 1
      case .signal(let number): 128 + number
      }
    }
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
