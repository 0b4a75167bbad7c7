import CNFKernels

/// The C library's random numbers. A test compares them with those of `RandomSource`, which must be equal.
public enum KernelRandom {
  /// One block of Philox4x32-10.
  public static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    let counters = [counter.x, counter.y, counter.z, counter.w]
    var out: [UInt32] = [0, 0, 0, 0]
    cnf_philox4x32(counters, [key.x, key.y], &out)
    return SIMD4(out[0], out[1], out[2], out[3])
  }

  /// Standard normal numbers `[count][dimension]` for the samples `first ..< first + count`.
  public static func normal<Scalar: FlowScalar>(
    _: Scalar.Type = Scalar.self, source: RandomSource, first: UInt64 = 0, count: Int, dimension: Int
  ) throws(KernelError) -> [Scalar] {
    try fill(cnf_random_normal, "normal", source, first, count, dimension)
  }

  /// Uniform numbers on [0, 1), `[count][dimension]`, for the samples `first ..< first + count`.
  public static func uniform<Scalar: FlowScalar>(
    _: Scalar.Type = Scalar.self, source: RandomSource, first: UInt64 = 0, count: Int, dimension: Int
  ) throws(KernelError) -> [Scalar] {
    try fill(cnf_random_uniform, "uniform", source, first, count, dimension)
  }

  /// Numbers that are −1 or 1, `[count][dimension]`, for the samples `first ..< first + count`.
  public static func rademacher<Scalar: FlowScalar>(
    _: Scalar.Type = Scalar.self, source: RandomSource, first: UInt64 = 0, count: Int, dimension: Int
  ) throws(KernelError) -> [Scalar] {
    try fill(cnf_random_rademacher, "rademacher", source, first, count, dimension)
  }

  private typealias Filler = (
    Int32, UInt64, UInt32, UInt64, UInt64, Int, Int, UnsafeMutableRawPointer?
  ) -> cnf_status

  private static func fill<Scalar: FlowScalar>(
    _ filler: Filler, _ name: String, _ source: RandomSource, _ first: UInt64, _ count: Int, _ dimension: Int
  ) throws(KernelError) -> [Scalar] {
    let type = try CType.of(Scalar.self)
    var numbers = [Scalar](repeating: 0, count: count * dimension)
    let status = numbers.withUnsafeMutableBytes {
      filler(type, source.seed, source.stream, source.step, first, count, dimension, $0.baseAddress)
    }
    try KernelError.check(status, "\(name) random numbers of \(count) × \(dimension)")
    return numbers
  }
}
