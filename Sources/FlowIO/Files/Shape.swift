/// Products of extents read from files.
enum Shape {
  /// The number of elements, or nil when it, or an extent, is not a number an array could have.
  static func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      guard extent >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      count = product
    }
    return count
  }
}
