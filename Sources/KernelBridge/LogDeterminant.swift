import COpenBLAS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `log |det matrix|`; −∞ for a singular one, NaN for one with numbers that are not finite.
///
/// - Parameter matrix: `[order][order]`, row-major.
/// - Complexity: O(order³), by LAPACK's `dgetrf`, LU with partial pivoting, on one thread.
public func logAbsoluteDeterminant(of matrix: [Double], order: Int) -> Double {
  precondition(
    order >= 1 && matrix.count == order * order,
    "\(matrix.count) numbers for a matrix of order \(order), need \(order * order)")
  guard matrix.allSatisfy(\.isFinite) else { return .nan }
  var factors = matrix
  var size = Int32(order)
  var pivots = [Int32](repeating: 0, count: order)
  var info: Int32 = 0
  // LAPACK is column-major: it factors the transposed matrix, whose determinant is the same.
  withOneBlasThread { dgetrf_(&size, &size, &factors, &size, &pivots, &info) }
  precondition(info >= 0, "dgetrf refused its argument \(-info)")
  // The logarithm of 0 is −∞, and exchanged rows change the sign alone.
  return (0..<order).reduce(0) { $0 + log(abs(factors[$1 * (order + 1)])) }
}
