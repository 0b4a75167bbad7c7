import CLibrary

/// What the seconds of a run are.
public enum TrainingClock: Sendable, Equatable, CaseIterable {
  /// Those that pass while it runs.
  case wall
  /// Those of the processor, which the process takes on all its threads: what neighbours on the machine take does not count, so
  /// that runs on one thread compare. Whatever else the process does in the meantime does count.
  case processor

  /// Seconds since some moment, the same in the life of the process: differences count.
  public func seconds() -> Double {
    var time = timespec()
    clock_gettime(self == .wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
