import FieldPrograms

/// The numbers `0 ..< count` in a random order that depends only on `source` (Fisher and Yates).
///
/// The standard library's `shuffled(using:)` is not used: its algorithm may change between versions, and splits and
/// batches must not.
func permutation(count: Int, from source: RandomSource) -> [Int] {
  var order = Array(0..<count)
  var generator = PhiloxGenerator(source)
  for last in stride(from: count - 1, to: 0, by: -1) {
    // The high word of word · n is uniform on 0 ..< n, with a bias of at most n · 2⁻⁶⁴.
    let pick = Int(generator.next().multipliedFullWidth(by: UInt64(last + 1)).high)
    order.swapAt(last, pick)
  }
  return order
}
