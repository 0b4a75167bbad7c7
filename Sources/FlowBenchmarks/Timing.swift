import CLibrary
import NeuralODE

/// How long something takes, by repetition.
public struct Timing: Sendable {
  /// Seconds of each run, shortest first.
  public let seconds: [Double]

  public var median: Double { seconds[seconds.count / 2] }
  /// The lower and the upper quartile.
  public var quartiles: ClosedRange<Double> { seconds[seconds.count / 4]...seconds[3 * seconds.count / 4] }

  /// Runs `body` for about `seconds`, at least `leastRuns` times. The caller has run it before: nothing is thrown away here.
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

  /// As above, in processor time of this thread: for work that stays on it, on a machine whose processors others share.
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

  /// Of one of `count` equal parts of what was timed.
  func divided(by count: Double) -> Timing { Timing(sorted: seconds.map { $0 / count }) }

  private init(sorted seconds: [Double]) { self.seconds = seconds }

  private static func seconds(of duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
