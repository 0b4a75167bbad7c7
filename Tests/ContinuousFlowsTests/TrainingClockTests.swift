import Foundation
import Testing

@testable import ContinuousFlows

/// Tests which seconds a run counts.
@Suite struct TrainingClockTests {
  private static let nap = 0.005

  private static func options(_ clock: TrainingClock) -> TrainingOptions {
    var options = TrainingFixture.options(steps: 10, backend: .c, threads: 1)
    options.clock = clock
    return options
  }

  /// A run sleeps after each step. By the wall clock it takes at least the sum of the sleeps. By the processor clock it
  /// takes no more than the process has used meanwhile.
  @Test func secondsAreThoseOfTheClock() throws {
    var wall = 0.0
    _ = try TrainingFixture.trainer(Self.options(.wall)).run(observer: {
      guard case .step(let report) = $0 else { return }
      wall = report.seconds
      Thread.sleep(forTimeInterval: Self.nap)
    })
    #expect(wall >= 9 * Self.nap)
    let before = TrainingClock.processor.seconds()
    let trained = try TrainingFixture.trainer(Self.options(.processor)).run()
    let taken = TrainingClock.processor.seconds() - before
    #expect(trained.seconds > 0 && trained.seconds <= taken)
  }

  /// The wall clock goes on while the process sleeps. The processor clock lies between two readings of the system's
  /// count for this process.
  @Test func clocksAreWhatTheySay() {
    let first = TrainingClock.wall.seconds()
    Thread.sleep(forTimeInterval: Self.nap)
    #expect(TrainingClock.wall.seconds() - first >= Self.nap)
    let low = Self.usage()
    let now = TrainingClock.processor.seconds()
    // The system counts in microseconds, and may read threads at their last tick.
    let slack = 0.02
    #expect(low - slack <= now && now <= Self.usage() + slack)
  }

  private static func usage() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + 1e-6 * Double($1.tv_usec) }
  }

  @Test(arguments: TrainingClock.allCases) func aBudgetOfSecondsEndsTheRun(clock: TrainingClock) throws {
    var options = Self.options(clock)
    options.steps = nil
    options.seconds = 0.05
    let result = try TrainingFixture.trainer(options).run()
    #expect(result.ending == .seconds && result.seconds >= 0.05)
  }
}
