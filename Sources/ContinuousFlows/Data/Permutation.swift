import FieldPrograms

/// `0 ..< count` in an order that depends on `source` alone (Fisher and Yates).
///
/// Written out rather than left to the standard library's `shuffled(using:)`, whose algorithm may change between
/// versions: splits and batches must not.
func permutation(count: Int, from source: RandomSource) -> [Int] {
  var order = Array(0..<count)
  var generator = PhiloxGenerator(source)
  for last in stride(from: count - 1, to: 0, by: -1) {
    // The high word of word · n is uniform on 0 ..< n up to a bias of n · 2⁻⁶⁴.
    let pick = Int(generator.next().multipliedFullWidth(by: UInt64(last + 1)).high)
    order.swapAt(last, pick)
  }
  return order
}
