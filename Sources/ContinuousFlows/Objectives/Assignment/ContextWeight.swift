/// The weight w of the context in the cost of a pair, `|z_i − x_j|² + w |c_i − c_j|²`, for contexts of real numbers
/// (Cheng, Schwing 2025, "The curse of conditions", arXiv 2503.10636: C²OT with its adaptive weight).
///
/// Base sample i has the context of data sample i, with which it was drawn. Base sample i is a candidate for data
/// sample j if it costs no more than j's own, `|z_i − x_j|² + w |c_i − c_j|² ≤ |z_j − x_j|²`. With w = 0 about half of
/// all pairs are candidates, and with w = ∞ only those of equal contexts.
enum ContextWeight {
  /// The largest w with which at least `share` of all pairs are candidates; ∞ if pairs of equal contexts are as many.
  ///
  /// - Parameters:
  ///   - distances: `|z_i − x_j|²` at row j, column i.
  ///   - contextDistances: `|c_i − c_j|²`.
  static func largest(leaving share: Double, _ distances: AssignmentCosts, _ contextDistances: AssignmentCosts)
    -> Double
  {
    let count = distances.count
    // A pair is a candidate up to the w at which it costs as much as j's own.
    var limits: [Double] = []
    for row in 0..<count {
      let own = distances[row, row]
      for column in 0..<count {
        let gain = own - distances[row, column]
        guard gain >= 0 else { continue }
        let distance = contextDistances[row, column]
        limits.append(distance > 0 ? gain / distance : .infinity)
      }
    }
    let wanted = Int((share * Double(count * count)).rounded(.up))
    guard wanted > 0 else { return .infinity }
    return wanted > limits.count ? 0 : limits.selectLargest(wanted)
  }
}

extension [Double] {
  /// The element that would be number `rank`, counted from 1, in falling order; reorders the elements (Hoare 1961,
  /// "Algorithm 65: find", Communications of the ACM 4).
  fileprivate mutating func selectLargest(_ rank: Int) -> Double {
    var (low, high) = (0, count - 1)
    while low < high {
      let pivot = self[low + (high - low) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while self[left] > pivot { left += 1 }
        while self[right] < pivot { right -= 1 }
        guard left <= right else { break }
        swapAt(left, right)
        left += 1
        right -= 1
      }
      if rank - 1 <= right {
        high = right
      } else if rank - 1 >= left {
        low = left
      } else {
        break
      }
    }
    return self[rank - 1]
  }
}
