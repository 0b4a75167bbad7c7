import Foundation
import Testing

/// Progress on standard error: a bar that redraws itself if that is a terminal, lines if it is a file.
@Suite(.serialized, .timeLimit(.minutes(3))) struct TerminalTests {
  /// Numbers of ioctl in Linux that Swift does not import: the number of a pseudo-terminal, and its lock.
  private static let numberOfTerminal: UInt = 0x8004_5430
  private static let lockOfTerminal: UInt = 0x4004_5431

  /// Standard error of a short training, on a pseudo-terminal of 60 columns.
  private func errors(environment: [String: String]) throws -> String {
    let folder = try TemporaryFolder()
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)
    defer { close(terminal) }
    var (number, lock) = (CInt(0), CInt(0))
    #expect(ioctl(terminal, Self.numberOfTerminal, &number) == 0 && ioctl(terminal, Self.lockOfTerminal, &lock) == 0)
    var size = winsize(ws_row: 24, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0)
    #expect(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
    let running = try Program.start(
      ["train", "--out", "run"] + TrainedFolder.smallRun, in: folder, environment: environment,
      errorPath: "/dev/pts/\(number)")
    // The terminal has room for few bytes, so they are read while the program runs.
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    func readAll() {
      while case let count = read(terminal, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
    }
    while running.process.isRunning {
      readAll()
      usleep(5000)
    }
    readAll()
    #expect(try running.outcome().code == 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What a reader of the last bar sees: its text without the sequences that move the cursor or choose colours.
  private func bars(in text: String) -> [String] {
    text.split(separator: "\r").filter { $0.contains("·") || $0.contains("█") }.map {
      $0.replacing(/\u{1B}\[[0-9;]*[mK]/, with: "").split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }
  }

  @Test func aTerminalGetsABar() throws {
    let text = try errors(environment: ["TERM": "xterm", "NO_COLOR": ""])
    let bars = bars(in: text)
    #expect(!bars.isEmpty, "\(text)")
    #expect(bars.allSatisfy { $0.hasPrefix("training [") && $0.contains(" %") && $0.count <= 60 }, "\(bars)")
    #expect(text.contains("\u{1B}[36m"))
    // The bar is gone in the end.
    #expect(text.contains("\r\u{1B}[K"))
  }

  @Test(arguments: [["NO_COLOR": "1", "TERM": "xterm"], ["NO_COLOR": "", "TERM": "dumb"]])
  func coloursCanBeRefused(environment: [String: String]) throws {
    let text = try errors(environment: environment)
    #expect(!bars(in: text).isEmpty && !text.contains("\u{1B}[36m"), "\(text)")
  }
}
