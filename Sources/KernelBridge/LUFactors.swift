import CLibrary
import COpenBLAS

/// A square matrix in triangular factors with row exchanges, by LAPACK's `dgetrf` on one thread: its determinant, its inverse,
/// and solutions of its linear systems.
///
/// - Complexity: O(order³) to make and to invert, O(order²) to solve.
public struct LUFactors: Sendable {
  public let order: Int
  /// LAPACK is column-major, so it has factored the transpose, Aᵀ = P L U; row-major this is Uᵀ below and on the diagonal, and Lᵀ,
  /// whose diagonal is 1, above it.
  private let factors: [Double]
  /// Counted from 1: step i has exchanged i with this.
  private let pivots: [Int32]

  /// - Parameter matrix: `[order][order]`, row-major.
  /// - Throws: `KernelError.singular` where a pivot is exactly 0.
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
    precondition(info == 0, "dgetrf refused its argument \(-info)")
    self.order = order
    self.factors = factors
    self.pivots = pivots
  }

  /// `log |det A| = Σ log |Uᵢᵢ|`.
  public var logAbsoluteDeterminant: Double {
    (0..<order).reduce(0) { $0 + log(abs(factors[$1 * (order + 1)])) }
  }

  /// A⁻¹, `[order][order]` row-major, by `dgetri`.
  public func inverse() -> [Double] {
    var inverse = factors
    var size = Int32(order)
    var info: Int32 = 0
    // LAPACK's advice is a multiple of the order; 32 of it suit blocks of any size it has.
    var work = [Double](repeating: 0, count: 32 * order)
    var length = Int32(work.count)
    withOneBlasThread { dgetri_(&size, &inverse, &size, pivots, &work, &length, &info) }
    // Column-major (Aᵀ)⁻¹ is row-major A⁻¹.
    precondition(info == 0, "dgetri gave \(info) for a matrix that dgetrf has factored")
    return inverse
  }

  /// x with `A x = vector`, both `[order]`: in an order of sums of its own, whatever other vectors there are.
  public func solve(_ vector: [Double]) -> [Double] {
    precondition(vector.count == order, "\(vector.count) numbers for a system of order \(order)")
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

/// `log |det matrix|`; −∞ for a singular one, NaN for one with numbers that are not finite.
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
