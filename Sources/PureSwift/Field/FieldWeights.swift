import FieldPrograms

/// The parameters of one call as matrices, which all workers only read.
final class FieldWeights<Scalar: FlowScalar>: Sendable {
  private let parameters: SharedArray<Scalar>
  private let transposed: SharedArray<Scalar>
  private let layers: [FieldProgram.LinearLayout]
  /// M of the product form and its transpose; empty for other traces.
  private let traceEntries: SharedArray<Scalar>
  private let traceEntriesTransposed: SharedArray<Scalar>
  let traceShape: (rows: Int, columns: Int)
  let product: ProductTrace<Scalar>?

  init(plan: FieldPlan, parameters: [Scalar], product: ProductTrace<Scalar>?) {
    self.parameters = SharedArray(parameters)
    transposed = SharedArray(repeating: 0, count: parameters.count)
    layers = plan.layers
    for layer in layers {
      for row in 0..<layer.rows {
        for column in 0..<layer.columns {
          transposed[layer.weightOffset + column * layer.rows + row] =
            parameters[layer.weightOffset + row * layer.columns + column]
        }
      }
    }
    self.product = product
    traceShape = product?.shape ?? (0, 0)
    let entries = product?.matrix ?? []
    traceEntries = SharedArray(entries)
    traceEntriesTransposed = SharedArray(entries)
    for row in 0..<traceShape.rows {
      for column in 0..<traceShape.columns {
        traceEntriesTransposed[column * traceShape.rows + row] = entries[row * traceShape.columns + column]
      }
    }
  }

  /// W `[rows][columns]`.
  func weight(_ layer: Int) -> MatrixView<Scalar> {
    parameters.matrix(at: layers[layer].weightOffset, rows: layers[layer].rows, columns: layers[layer].columns)
  }

  /// Wᵀ `[columns][rows]`.
  func weightTransposed(_ layer: Int) -> MatrixView<Scalar> {
    transposed.matrix(at: layers[layer].weightOffset, rows: layers[layer].columns, columns: layers[layer].rows)
  }

  /// b, as a column.
  func bias(_ layer: Int) -> MatrixView<Scalar> {
    parameters.matrix(at: layers[layer].biasOffset, rows: layers[layer].rows, columns: 1)
  }

  /// A norm's gain, as a column.
  func gain(_ layout: FieldProgram.NormLayout) -> MatrixView<Scalar> {
    parameters.matrix(at: layout.gainOffset, rows: layout.rows, columns: 1)
  }

  /// A norm's bias, as a column.
  func normBias(_ layout: FieldProgram.NormLayout) -> MatrixView<Scalar> {
    parameters.matrix(at: layout.biasOffset, rows: layout.rows, columns: 1)
  }

  /// Calls `body` with a callback's parameters.
  func withParameters<Result>(
    of layout: FieldProgram.CallbackLayout, _ body: (Span<Scalar>) -> Result
  ) -> Result {
    parameters.withSpan(at: layout.offset, count: layout.callback.parameterCount, body)
  }

  /// M of the product form.
  var traceMatrix: MatrixView<Scalar> {
    traceEntries.matrix(at: 0, rows: traceShape.rows, columns: traceShape.columns)
  }

  var traceMatrixTransposed: MatrixView<Scalar> {
    traceEntriesTransposed.matrix(at: 0, rows: traceShape.columns, columns: traceShape.rows)
  }
}
