import Foundation
import Testing

@testable import ContinuousFlows

/// Whose seconds a run counts.
@Suite struct TrainingClockTests {
  private static let nap = 0.005

  private static func options(_ clock: TrainingClock) -> TrainingOptions {
    var options = TrainingFixture.options(steps: 10, backend: .c, threads: 1)
    options.clock = clock
    return options
  }

  /// A run that naps after each step has at least its naps behind it by the clock on the wall, and by the processor's no more than
  /// the process has taken in the meantime.
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

  /// Asleep, the processor's clock stands still but for what the process does elsewhere; the wall's does not.
  @Test(arguments: TrainingClock.allCases) func clocksNeverGoBack(clock: TrainingClock) {
    let first = clock.seconds()
    Thread.sleep(forTimeInterval: Self.nap)
    let second = clock.seconds()
    #expect(clock == .wall ? second - first >= Self.nap : second >= first)
  }

  @Test(arguments: TrainingClock.allCases) func aBudgetOfSecondsEndsTheRun(clock: TrainingClock) throws {
    var options = Self.options(clock)
    options.steps = nil
    options.seconds = 0.05
    let result = try TrainingFixture.trainer(options).run()
    #expect(result.ending == .seconds && result.seconds >= 0.05)
  }
}
