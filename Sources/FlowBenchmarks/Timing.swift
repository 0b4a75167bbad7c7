import CLibrary
import NeuralODE

/// The time that something takes, measured by repetition.
public struct Timing: Sendable {
  /// Seconds of each run, in rising order.
  public let seconds: [Double]

  public var median: Double { seconds[seconds.count / 2] }
  /// The lower and the upper quartile.
  public var quartiles: ClosedRange<Double> { seconds[seconds.count / 4]...seconds[3 * seconds.count / 4] }

  /// Runs `body` for about `seconds`, at least `leastRuns` times. No run is discarded, so the caller warms up.
  init(seconds: Double, leastRuns: Int = 3, body: () throws -> Void) rethrows {
    precondition(leastRuns >= 1, "leastRuns is \(leastRuns), must be at least 1")
    let clock = SuspendingClock()
    let begin = clock.now
    var runs: [Double] = []
    repeat {
      let time = try clock.measure(body)
      runs.append(Self.seconds(of: time))
    } while runs.count < leastRuns || Self.seconds(of: clock.now - begin) < seconds
    self.seconds = runs.sorted()
  }

  /// As above, in processor time of this thread: for single-threaded work on a shared machine.
  init(threadSeconds seconds: Double, leastRuns: Int = 3, body: () throws -> Void) rethrows {
    precondition(leastRuns >= 1, "leastRuns is \(leastRuns), must be at least 1")
    let begin = Self.threadSeconds()
    var (runs, last) = ([Double](), begin)
    repeat {
      try body()
      let now = Self.threadSeconds()
      runs.append(now - last)
      last = now
    } while runs.count < leastRuns || last - begin < seconds
    self.seconds = runs.sorted()
  }

  private static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// The time of one of `count` equal parts.
  func divided(by count: Double) -> Timing { Timing(sorted: seconds.map { $0 / count }) }

  private init(sorted seconds: [Double]) { self.seconds = seconds }

  private static func seconds(of duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
