import CLibrary

/// The clock that measures the seconds of a run.
public enum TrainingClock: Sendable, Equatable, CaseIterable {
  /// Wall-clock time.
  case wall
  /// Processor time of the process on all its threads. Other processes on the machine do not count, so runs on one
  /// thread can be compared; everything else that this process does counts.
  case processor

  /// Seconds since a fixed moment of the process: only differences have a meaning.
  public func seconds() -> Double {
    var time = timespec()
    clock_gettime(self == .wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
