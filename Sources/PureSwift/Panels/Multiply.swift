import FieldPrograms

/// `y += A x`: `A` `[m][n]`, `x` `[n][lanes]`, `y` `[m][lanes]`; `x` and `y` may not overlap.
///
/// Every product of the module is this one: layers (`A` = W), their transposes (Wᵀ), and weight gradients (`A` =
/// cotangent panel `[rows][lanes]`, `x` = transposed input panel `[lanes][columns]`). Four rows of one vector stay in
/// registers over the whole of n. A lane's sum runs over n in order, whatever its lane: results do not depend on the
/// lane. Multiplications and additions are apart: without FMA hardware in the target, `addingProduct` would be a
/// library call.
@inline(never)
func multiply<V: LaneVector>(_ matrix: MatrixView<V.Scalar>, _ x: Panel<V>, addingTo y: Panel<V>) {
  assert(matrix.columns == x.rows && matrix.rows == y.rows && x.groups == y.groups)
  let depth = matrix.columns
  let groups = x.groups
  var row = 0
  while row &+ 4 <= matrix.rows {
    for group in 0..<groups {
      var sum0 = y[row, group]
      var sum1 = y[row &+ 1, group]
      var sum2 = y[row &+ 2, group]
      var sum3 = y[row &+ 3, group]
      for k in 0..<depth {
        let vector = x[k, group]
        sum0 = sum0 + matrix[row, k] * vector
        sum1 = sum1 + matrix[row &+ 1, k] * vector
        sum2 = sum2 + matrix[row &+ 2, k] * vector
        sum3 = sum3 + matrix[row &+ 3, k] * vector
      }
      y[row, group] = sum0
      y[row &+ 1, group] = sum1
      y[row &+ 2, group] = sum2
      y[row &+ 3, group] = sum3
    }
    row &+= 4
  }
  while row < matrix.rows {
    for group in 0..<groups {
      var sum = y[row, group]
      for k in 0..<depth { sum = sum + matrix[row, k] * x[k, group] }
      y[row, group] = sum
    }
    row &+= 1
  }
}
