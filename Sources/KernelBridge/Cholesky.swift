import COpenBLAS
import Synchronization

/// Guards OpenBLAS's thread setting, of which there is one per process.
private let blasThreads = Mutex<Void>(())

/// Runs `body` with LAPACK on one thread, so that its results do not depend on the number of threads.
func withOneBlasThread(_ body: () -> Void) {
  blasThreads.withLock { _ in
    let threads = openblas_get_num_threads()
    openblas_set_num_threads(1)
    body()
    openblas_set_num_threads(threads)
  }
}

/// The lower triangular matrix L with `L Lᵀ = matrix`, row-major, with zeros above its diagonal.
///
/// LAPACK's `dpotrf` computes it on one thread, so the result does not depend on the number of threads.
///
/// - Parameters:
///   - matrix: symmetric positive definite, `[order][order]`; only its lower triangle is read.
/// - Throws: `KernelError.notPositiveDefinite`.
/// - Complexity: O(order³).
public func choleskyLowerFactor(of matrix: [Double], order: Int) throws(KernelError) -> [Double] {
  precondition(
    order >= 1 && matrix.count == order * order,
    "\(matrix.count) numbers for a matrix of order \(order), need \(order * order)")
  var factor = matrix
  var size = Int32(order)
  var info: Int32 = 0
  withOneBlasThread {
    // LAPACK is column-major, so the lower triangle here is its upper triangle.
    dpotrf_("U", &size, &factor, &size, &info)
  }
  guard info <= 0 else { throw .notPositiveDefinite(order: Int(info)) }
  precondition(info == 0, "LAPACK's dpotrf reports that its argument \(-info) is invalid")
  for row in 0..<order {
    for column in row + 1..<max(order, row + 1) { factor[row * order + column] = 0 }
  }
  return factor
}
