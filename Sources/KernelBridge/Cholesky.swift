import COpenBLAS
import Synchronization

/// OpenBLAS's thread setting is one per process: whoever changes it holds this.
private let blasThreads = Mutex<Void>(())

/// Runs `body` with LAPACK on one thread, so that what it gives does not depend on their number.
func withOneBlasThread(_ body: () -> Void) {
  blasThreads.withLock { _ in
    let threads = openblas_get_num_threads()
    openblas_set_num_threads(1)
    body()
    openblas_set_num_threads(threads)
  }
}

/// The lower triangular L with `L Lᵀ = matrix`, row-major, zeros above its diagonal.
///
/// - Parameters:
///   - matrix: symmetric positive definite, `[order][order]`; only its lower triangle is read.
/// - Throws: `KernelError.notPositiveDefinite`.
/// - Complexity: O(order³), by LAPACK's `dpotrf` on one thread, so that the result does not depend on their number.
public func choleskyLowerFactor(of matrix: [Double], order: Int) throws(KernelError) -> [Double] {
  precondition(
    order >= 1 && matrix.count == order * order,
    "\(matrix.count) numbers for a matrix of order \(order), need \(order * order)")
  var factor = matrix
  var size = Int32(order)
  var info: Int32 = 0
  withOneBlasThread {
    // LAPACK is column-major: our lower triangle is its upper one.
    dpotrf_("U", &size, &factor, &size, &info)
  }
  guard info <= 0 else { throw .notPositiveDefinite(order: Int(info)) }
  precondition(info == 0, "dpotrf refused its argument \(-info)")
  for row in 0..<order {
    for column in row + 1..<max(order, row + 1) { factor[row * order + column] = 0 }
  }
  return factor
}
