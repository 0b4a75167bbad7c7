import CLibrary

/// The C library's functions under names that do not depend on the type.
enum Angles {
  @Sendable static func sine(_ x: Double) -> Double { sin(x) }
  @Sendable static func cosine(_ x: Double) -> Double { cos(x) }
  static func exponential(_ x: Double) -> Double { exp(x) }
  static func logarithm(_ x: Double) -> Double { log(x) }
}
