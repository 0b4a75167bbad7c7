import CNFKernels

/// The object that `cnf_loss.context` points at: it passes calls of the C library on to the closure of a loss.
///
/// C function pointers cannot be generic, so they call this class, whose one subclass knows the scalar type.
class LossContext {
  fileprivate init() {}

  func call(
    _ first: Int, _ count: Int, _ states: UnsafeRawPointer, _ logDeterminants: UnsafePointer<Double>,
    _ statuses: UnsafePointer<Int32>, _ losses: UnsafeMutablePointer<Double>, _ stateBars: UnsafeMutableRawPointer,
    _ logDeterminantBars: UnsafeMutablePointer<Double>
  ) -> Int32 { fatalError("abstract") }

  static func at(_ context: UnsafeMutableRawPointer?) -> LossContext {
    Unmanaged<LossContext>.fromOpaque(context!).takeUnretainedValue()
  }
}

/// The closure for one scalar type. Several threads may call it at once; it never changes.
final class TypedLossContext<Scalar: FlowScalar>: LossContext {
  private let function: @Sendable (SolvedSamples<Scalar>) -> SampleCotangents<Scalar>
  private let dimension: Int

  init(function: @escaping @Sendable (SolvedSamples<Scalar>) -> SampleCotangents<Scalar>, dimension: Int) {
    self.function = function
    self.dimension = dimension
  }

  override func call(
    _ first: Int, _ count: Int, _ states: UnsafeRawPointer, _ logDeterminants: UnsafePointer<Double>,
    _ statuses: UnsafePointer<Int32>, _ losses: UnsafeMutablePointer<Double>, _ stateBars: UnsafeMutableRawPointer,
    _ logDeterminantBars: UnsafeMutablePointer<Double>
  ) -> Int32 {
    let size = count * dimension
    let solved = SolvedSamples<Scalar>(
      first: first, states: Array(UnsafeBufferPointer(start: states.assumingMemoryBound(to: Scalar.self), count: size)),
      logDeterminants: Array(UnsafeBufferPointer(start: logDeterminants, count: count)),
      statuses: (0..<count).map { SampleStatus(rawValue: statuses[$0]) ?? .notFinite })
    let cotangents = function(solved)
    cotangents.checkShapes(of: solved)
    let stateCotangents = stateBars.assumingMemoryBound(to: Scalar.self)
    for index in 0..<size { stateCotangents[index] = cotangents.states[index] }
    for index in 0..<count {
      losses[index] = cotangents.losses[index]
      logDeterminantBars[index] = cotangents.logDeterminants[index]
    }
    return 0
  }
}
