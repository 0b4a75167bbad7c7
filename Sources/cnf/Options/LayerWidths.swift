import ArgumentParser

/// `64,64,64`, or `none` for a net without hidden layers.
struct LayerWidths: ExpressibleByArgument {
  let widths: [Int]

  init?(argument: String) {
    guard argument != "none" else {
      widths = []
      return
    }
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard !numbers.isEmpty, numbers.count == parts.count else { return nil }
    widths = numbers
  }
}
