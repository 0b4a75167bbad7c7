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

  private static func seconds(of duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
