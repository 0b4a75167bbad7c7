import ArgumentParser

/// Times such as `0,0.5,1`.
struct TimeList: ExpressibleByArgument {
  let times: [Double]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }
    guard !numbers.isEmpty, numbers.count == parts.count else { return nil }
    times = numbers
  }

  /// Throws a usage failure unless they rise, within a flow's times from 0 to `end`.
  func check(until end: Double) throws {
    guard let wrong = times.first(where: { !(0...end).contains($0) }) else {
      guard zip(times, times.dropFirst()).allSatisfy({ $0 <= $1 }) else {
        throw CommandFailure(.usage, "times are \(words), which do not rise: give them in rising order")
      }
      return
    }
    throw CommandFailure(.usage, "times has \(wrong), must be from 0 (base) to \(end) (data)")
  }

  private var words: String { times.map(\.description).joined(separator: ",") }
}
