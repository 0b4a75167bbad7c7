/// Counts the measurements of a benchmark for the progress bar.
final class BenchProgress {
  private let reporter: ProgressReporter
  private var total = 0
  private var done = 0

  init(isSilent: Bool) { reporter = ProgressReporter("measuring", isSilent: isSilent) }

  func expect(_ count: Int) { total += count }

  /// Runs `body` and shows `what` meanwhile.
  func step<Result>(_ what: String, _ body: () throws -> Result) rethrows -> Result {
    reporter.update(fraction: Double(done) / Double(max(1, total)), detail: what)
    defer { done += 1 }
    return try body()
  }

  func clear() { reporter.clear() }
}
