/// The number format of a solver's products.
public enum Precision: String, Sendable, CaseIterable, Codable {
  /// All numbers have the solver's scalar type, `Float` or `Double`.
  case full
  /// Products of derivatives (tangents, cotangents, gradients of weights) round their operands to bfloat16, which has 8
  /// significant bits, and add in `Float`. Values, states and the errors of steps stay in `Float`.
  ///
  /// A divergence or a gradient has an error of about 1/256 of the size of its terms. The error norm leaves the
  /// log-determinant out. States have the same bits as in full precision with that error norm. Products run at twice
  /// the rate with the instruction set `avx512bf16`, and no faster with others. Only solvers of `Float` with the C
  /// kernels have it.
  case mixed
}
