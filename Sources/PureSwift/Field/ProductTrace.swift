import FieldPrograms

/// M of the product form (see `ProductForm`) for given parameters, and the backward pass from its cotangent.
struct ProductTrace<Scalar: FlowScalar>: Sendable {
  let shape: (rows: Int, columns: Int)
  /// M, `[rows][columns]`.
  let matrix: [Scalar]
  private let layouts: [FieldProgram.LinearLayout]
  private let stateDimension: Int
  /// (W₁ₓ W₃), `[H1][H2]`, for two hidden layers; else empty.
  private let outerProduct: [Scalar]

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  init(_ form: ProductForm, program: FieldProgram, parameters: [Scalar]) {
    let all = program.linearLayouts
    let layouts = form.layers.map { all[$0] }
    let dimension = program.stateDimension
    let (rows, columns) = form.shape(in: program)
    let first = layouts[0]
    var matrix = [Scalar](repeating: 0, count: rows * columns)
    var outer: [Scalar] = []
    switch form.hiddenLayers {
    case 0:
      for d in 0..<dimension { matrix[0] += parameters[first.weightOffset + d * first.columns + d] }
    case 1:
      for d in 0..<dimension {
        for j in 0..<columns {
          matrix[j] +=
            parameters[first.weightOffset + j * first.columns + d]
            * parameters[layouts[1].weightOffset + d * columns + j]
        }
      }
    default:
      outer = [Scalar](repeating: 0, count: rows * columns)
      for j in 0..<columns {
        for d in 0..<dimension {
          let weight = parameters[first.weightOffset + j * first.columns + d]
          for i in 0..<rows { outer[j * rows + i] += weight * parameters[layouts[2].weightOffset + d * rows + i] }
        }
      }
      for i in 0..<rows {
        for j in 0..<columns {
          matrix[i * columns + j] = parameters[layouts[1].weightOffset + i * columns + j] * outer[j * rows + i]
        }
      }
    }
    self.shape = (rows, columns)
    self.matrix = matrix
    self.layouts = layouts
    self.stateDimension = dimension
    self.outerProduct = outer
  }

  /// Adds the weights' gradient, from the cotangent of M `[rows][columns]`, to `gradient` `[P]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addGradient(of cotangent: [Scalar], parameters: [Scalar], to gradient: inout [Scalar]) {
    let (rows, columns) = shape
    let first = layouts[0]
    switch layouts.count {
    case 1:
      for d in 0..<stateDimension { gradient[first.weightOffset + d * first.columns + d] += cotangent[0] }
    case 2:
      for d in 0..<stateDimension {
        for j in 0..<columns {
          let inner = first.weightOffset + j * first.columns + d
          let last = layouts[1].weightOffset + d * columns + j
          gradient[inner] += cotangent[j] * parameters[last]
          gradient[last] += cotangent[j] * parameters[inner]
        }
      }
    default:
      let middle = layouts[1].weightOffset
      // The cotangent of (W₁ₓ W₃), `[H1][H2]`.
      var outer = [Scalar](repeating: 0, count: rows * columns)
      for i in 0..<rows {
        for j in 0..<columns {
          gradient[middle + i * columns + j] += cotangent[i * columns + j] * outerProduct[j * rows + i]
          outer[j * rows + i] = cotangent[i * columns + j] * parameters[middle + i * columns + j]
        }
      }
      for j in 0..<columns {
        for d in 0..<stateDimension {
          let inner = first.weightOffset + j * first.columns + d
          let last = layouts[2].weightOffset + d * rows
          let weight = parameters[inner]
          var sum: Scalar = 0
          for i in 0..<rows {
            sum += outer[j * rows + i] * parameters[last + i]
            gradient[last + i] += outer[j * rows + i] * weight
          }
          gradient[inner] += sum
        }
      }
    }
  }
}
