import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct LUFactorsTests {
  /// Entries are normal, so that rows are exchanged.
  private func matrix(_ order: Int, seed: UInt64 = 3) -> [Double] {
    let source = RandomSource(seed: seed, stream: .data)
    return (0..<order * order).map { source.normal(sample: UInt64($0 / order), dimension: $0 % order) }
  }

  private func product(_ a: [Double], _ b: [Double], _ order: Int) -> [Double] {
    (0..<order * order).map { place in
      (0..<order).reduce(0) { $0 + a[place / order * order + $1] * b[$1 * order + place % order] }
    }
  }

  @Test func twoByTwoByHand() throws {
    let factors = try LUFactors(of: [0, 2, -4, 6], order: 2)
    // det = 0 · 6 − 2 · (−4) = 8; the first pivot is in the second row.
    #expect(factors.logAbsoluteDeterminant == log(2.0) + log(4.0))
    #expect(factors.solve([2, 2]) == [1, 1])
    #expect(factors.inverse() == [0.75, -0.25, 0.5, 0])
  }

  @Test(arguments: [1, 2, 5, 33]) func inversesAndSolutionsAreRight(order: Int) throws {
    let a = matrix(order)
    let factors = try LUFactors(of: a, order: order)
    let unit = product(a, factors.inverse(), order)
    let b = matrix(order, seed: 4).prefix(order).map { $0 }
    let x = factors.solve(b)
    // Sums of `order` terms, each rounded. Terms stay below 1e3, because the condition numbers of these matrices do.
    let bound = 1e3 * Double(order) * Double.ulpOfOne
    for row in 0..<order {
      for column in 0..<order { #expect(abs(unit[row * order + column] - (row == column ? 1 : 0)) < bound) }
      let found = (0..<order).reduce(0) { $0 + a[row * order + $1] * x[$1] }
      #expect(abs(found - b[row]) < bound)
    }
  }

  /// det(A B) = det A det B. The determinant of a triangular matrix with permuted rows is the product of its diagonal,
  /// up to its sign.
  @Test func determinantsMultiply() throws {
    let order = 7
    let (a, b) = (matrix(order), matrix(order, seed: 9))
    func logDeterminant(_ m: [Double]) throws -> Double { try LUFactors(of: m, order: order).logAbsoluteDeterminant }
    let (both, each) = (try logDeterminant(product(a, b, order)), try logDeterminant(a) + logDeterminant(b))
    #expect(abs(both - each) < 1e3 * Double(order) * Double.ulpOfOne)
    var triangle = [Double](repeating: 0, count: order * order)
    for row in 0..<order {
      for column in 0...row { triangle[(order - 1 - row) * order + column] = Double(row == column ? -row - 1 : 1) }
    }
    // 7! = 5040.
    #expect(abs(try logDeterminant(triangle) - log(5040)) < 1e-14)
  }

  @Test func singularMatricesAreRefusedByName() {
    #expect(throws: KernelError.singular(order: 2, pivot: 2)) { try LUFactors(of: [1, 2, 2, 4], order: 2) }
    let message = "\(KernelError.singular(order: 2, pivot: 2))"
    #expect(message.contains("order 2 is singular") && message.contains("pivot 2"))
  }
}
