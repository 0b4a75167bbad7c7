import CLibrary
import Synchronization

/// SIGINT and SIGTERM during training: the first asks training to stop after the current step, the second kills.
enum Interruption {
  /// The signal that arrived; 0: none did.
  private static let received = Atomic<Int32>(0)

  /// The signal that arrived, if one did.
  static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// From here on the first SIGINT or SIGTERM only sets `signal`.
  static func catchSignals() {
    // Accessed before the handler can run, so that the handler never runs a lazy initialiser.
    received.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      set(number) { number in
        Interruption.received.store(number, ordering: .relaxed)
        Interruption.release()
      }
    }
    // A parent may have blocked them: worker threads block all signals, and processes that they start inherit that.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// From here on both kill again. The handler calls this too, so nothing here may allocate.
  static func release() {
    set(SIGINT, SIG_DFL)
    set(SIGTERM, SIG_DFL)
  }

  private static func set(_ number: Int32, _ handler: sighandler_t?) {
    // Not `signal`, which restarts or resets as the platform likes.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    sigaction(number, &action, nil)
  }
}
