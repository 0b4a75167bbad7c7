import CLibrary
import COpenBLAS

/// The LU factors of a square matrix, which give its determinant, its inverse and the solutions of linear systems.
///
/// LAPACK's `dgetrf` computes them on one thread, so the results do not depend on the number of threads.
///
/// - Complexity: O(order³) to factor and to invert, O(order²) to solve one system.
public struct LUFactors: Sendable {
  public let order: Int
  /// LAPACK is column-major, so it factors the transpose, Aᵀ = P L U. Read as row-major, this array has Uᵀ on and below
  /// the diagonal, and above it Lᵀ, whose diagonal is 1.
  private let factors: [Double]
  /// The row exchanges, counted from 1: step i exchanged row i with row `pivots[i]`.
  private let pivots: [Int32]

  /// Factors a matrix.
  ///
  /// - Parameter matrix: `[order][order]`, row-major.
  /// - Throws: `KernelError.singular` if a pivot is exactly 0.
  public init(of matrix: [Double], order: Int) throws(KernelError) {
    precondition(
      order >= 1 && matrix.count == order * order,
      "\(matrix.count) numbers for a matrix of order \(order), need \(order * order)")
    var factors = matrix
    var pivots = [Int32](repeating: 0, count: order)
    var size = Int32(order)
    var info: Int32 = 0
    withOneBlasThread { dgetrf_(&size, &size, &factors, &size, &pivots, &info) }
    guard info <= 0 else { throw .singular(order: order, pivot: Int(info)) }
    precondition(info == 0, "LAPACK's dgetrf reports that its argument \(-info) is invalid")
    self.order = order
    self.factors = factors
    self.pivots = pivots
  }

  /// `log |det A| = Σ log |Uᵢᵢ|`.
  public var logAbsoluteDeterminant: Double {
    (0..<order).reduce(0) { $0 + log(abs(factors[$1 * (order + 1)])) }
  }

  /// The inverse A⁻¹, `[order][order]` row-major, by LAPACK's `dgetri`.
  public func inverse() -> [Double] {
    var inverse = factors
    var size = Int32(order)
    var info: Int32 = 0
    // LAPACK recommends a workspace of the order times its block size; 32 is enough for its block sizes.
    var work = [Double](repeating: 0, count: 32 * order)
    var length = Int32(work.count)
    withOneBlasThread { dgetri_(&size, &inverse, &size, pivots, &work, &length, &info) }
    // The column-major (Aᵀ)⁻¹ is the row-major A⁻¹.
    precondition(info == 0, "LAPACK's dgetri returned \(info) for a matrix that dgetrf factored")
    return inverse
  }

  /// The solution x of `A x = vector`; both are `[order]`.
  ///
  /// It adds in a fixed order, so the result has the same bits however many vectors are solved for.
  public func solve(_ vector: [Double]) -> [Double] {
    precondition(vector.count == order, "\(vector.count) numbers do not fit a linear system of order \(order)")
    var x = vector
    for row in 0..<order {
      var rest = x[row]
      for column in 0..<row { rest -= factors[row * order + column] * x[column] }
      x[row] = rest / factors[row * (order + 1)]
    }
    for row in (0..<order).reversed() {
      var rest = x[row]
      for column in row + 1..<max(order, row + 1) { rest -= factors[row * order + column] * x[column] }
      x[row] = rest
    }
    for step in (0..<order).reversed() { x.swapAt(step, Int(pivots[step]) - 1) }
    return x
  }
}

/// `log |det matrix|`; −∞ for a singular matrix, NaN if the matrix has a number that is not finite.
///
/// - Parameter matrix: `[order][order]`, row-major.
public func logAbsoluteDeterminant(of matrix: [Double], order: Int) -> Double {
  guard matrix.allSatisfy(\.isFinite) else { return .nan }
  do throws(KernelError) {
    return try LUFactors(of: matrix, order: order).logAbsoluteDeterminant
  } catch {
    return -.infinity
  }
}
