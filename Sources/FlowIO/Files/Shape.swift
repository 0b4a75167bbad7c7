/// Checked arithmetic on array shapes that come from files.
enum Shape {
  /// The number of elements of an array of `shape`, or nil if an extent is negative or the product overflows `Int`.
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
