/// Why a command ended without its result: one sentence for stderr, and the exit code.
struct CommandFailure: Error {
  /// The exit codes, as sysexits.h has them; signals are 128 + their number.
  enum Kind {
    /// Flags, words or settings that cannot be: 64.
    case usage
    /// Data or files whose content is wrong: 65.
    case badData
    /// Everything else: 1.
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
