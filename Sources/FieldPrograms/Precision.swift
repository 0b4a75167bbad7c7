/// In which numbers a solver of `Float` works.
public enum Precision: String, Sendable, CaseIterable, Codable {
  /// `Float`, or `Double`, throughout.
  case full
  /// Values, states and the errors of steps in `Float`. Products of derivatives (tangents, cotangents, weights' gradients)
  /// take operands rounded to bfloat16, of 8 significant bits, and add in `Float`: a divergence or a gradient is off by
  /// about 1/256 of its terms' size, and the error norm leaves the log-determinant out. States have the bits of full precision
  /// with that error norm. Twice the rate where the instruction set is `avx512bf16`; elsewhere nothing is saved. The C kernels
  /// alone have it.
  case mixed
}
