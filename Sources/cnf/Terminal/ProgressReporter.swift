import CLibrary

/// Shows the progress of a command on standard error: a bar that redraws itself on a terminal, a plain line every few
/// seconds elsewhere.
final class ProgressReporter {
  private static let secondsBetweenRedraws = 0.1
  private static let secondsBetweenLines = 5.0
  private static let barWidth = 24

  private let label: String
  private let isSilent: Bool
  private let start: Double
  private var lastShown: Double
  private var barIsShown = false

  init(_ label: String, isSilent: Bool = false) {
    self.label = label
    self.isSilent = isSilent
    self.start = Self.now
    self.lastShown = -.infinity
  }

  /// Seconds since the start.
  var elapsed: Double { Self.now - start }

  /// - Parameters:
  ///   - fraction: the part of the work that is done, clamped to 0 ... 1.
  ///   - detail: what to show with it, evaluated only when it is shown.
  func update(fraction: Double, detail: @autoclosure () -> String) {
    guard !isSilent else { return }
    let interval = Terminal.errorIsTerminal ? Self.secondsBetweenRedraws : Self.secondsBetweenLines
    guard Self.now - lastShown >= interval else { return }
    lastShown = Self.now
    let fraction = min(1, max(0, fraction.isFinite ? fraction : 0))
    if Terminal.errorIsTerminal {
      draw(bar: fraction, detail: detail())
    } else {
      Terminal.remark("\(label) \(Format.percent(fraction)), \(Format.duration(elapsed)): \(detail())")
    }
  }

  /// Shows a line that stays.
  func remark(_ text: String) {
    guard !isSilent else { return }
    clear()
    Terminal.remark(text)
  }

  /// Removes the bar from the screen.
  func clear() {
    guard barIsShown else { return }
    Terminal.errorText("\r\u{1B}[K")
    barIsShown = false
  }

  private func draw(bar fraction: Double, detail: String) {
    let filled = Int((Double(Self.barWidth) * fraction).rounded())
    let full = String(repeating: "█", count: filled)
    let empty = String(repeating: "·", count: Self.barWidth - filled)
    let words = " \(Format.percent(fraction)) \(Format.duration(elapsed)) \(detail)"
    let room = max(0, Terminal.columns - label.count - Self.barWidth - 4)
    let bar = Terminal.errorHasColour ? "\u{1B}[36m\(full)\u{1B}[2m\(empty)\u{1B}[0m" : full + empty
    Terminal.errorText("\r\(label) [\(bar)]\(words.prefix(room))\u{1B}[K")
    barIsShown = true
  }

  /// Seconds of a monotonic clock.
  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
