/// Conversions between the two types of states. The type is known only at run time, so the compiler could not
/// specialise a generic conversion of each element.
extension [Float] {
  /// The same numbers in another type; for `Float` this array itself.
  func converted<Scalar: FlowScalar>(to _: Scalar.Type = Scalar.self) -> [Scalar] {
    // Through Any, because a cast between array types goes over the elements even where both are the same.
    if let same = (self as Any) as? [Scalar] { return same }
    guard let wide = (map { Double($0) } as Any) as? [Scalar] else {
      preconditionFailure("\(Scalar.self) is a third type of states")
    }
    return wide
  }
}

extension Array where Element: FlowScalar {
  /// The same numbers, rounded to `Float`.
  var floats: [Float] {
    if let same = (self as Any) as? [Float] { return same }
    return doubles.map { Float($0) }
  }

  /// The same numbers; both types of states convert to `Double` without rounding.
  var doubles: [Double] {
    if let same = (self as Any) as? [Double] { return same }
    return ((self as Any) as? [Float])?.map { Double($0) } ?? map { Double($0) }
  }
}
