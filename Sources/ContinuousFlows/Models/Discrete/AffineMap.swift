import CLibrary

/// `z = P L U x + b` for many samples: two linear layers of a field program, U and then P L with b, run by a backend.
struct AffineMap<Scalar: FlowScalar>: InvertibleMap {
  private let permutation: [Int]
  private let solver: any FieldSolver<Scalar>
  private let layout: AffineLayout

  init(permutation: [Int], threads: Int?, backend: Backend) throws {
    self.permutation = permutation
    layout = AffineLayout(dimension: permutation.count)
    var program = FieldProgram(stateDimension: permutation.count)
    let upper = program.append(.linear(input: .state, rows: permutation.count, activation: .identity))
    program.append(.linear(input: upper, rows: permutation.count, activation: .identity))
    solver = try makeSolver(
      program: program,
      options: .evaluation(threads: threads),
      backend: backend)
  }

  func image(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    image(of: states, parameters, try solver.evaluate(problem(states, parameters)).velocities)
  }

  private func image(of states: [Scalar], _ parameters: [Scalar], _ images: [Scalar]) -> MapImage<Scalar> {
    let determinant = layout.logDiagonal.reduce(0) { $0 + Double(parameters[$1]) }
    return MapImage(
      states: images, logDeterminants: Array(repeating: determinant, count: states.count / layout.dimension))
  }

  /// Computes `x = U⁻¹ L⁻¹ Pᵀ (z − b)` sample by sample, with every parameter as a Double.
  func inverse(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    let dimension = layout.dimension
    let wide = parameters.map { Double($0) }
    let diagonal = wide[layout.logDiagonal].map { exp($0) }
    var result = states
    var x = [Double](repeating: 0, count: dimension)
    for sample in 0..<states.count / dimension {
      for row in 0..<dimension {
        x[permutation[row]] = Double(states[sample * dimension + row]) - wide[layout.bias.lowerBound + row]
      }
      for row in 0..<dimension {
        for column in 0..<row { x[row] -= wide[layout.lower(row, column)] * x[column] }
      }
      for row in (0..<dimension).reversed() {
        for column in row + 1..<max(dimension, row + 1) { x[row] -= wide[layout.upper(row, column)] * x[column] }
        x[row] /= diagonal[row]
      }
      for row in 0..<dimension { result[sample * dimension + row] = Scalar(x[row]) }
    }
    let determinant = wide[layout.logDiagonal].reduce(0, -)
    return MapImage(
      states: result, logDeterminants: Array(repeating: determinant, count: states.count / dimension))
  }

  func gradient(
    at states: [Scalar], parameters: [Scalar], cotangents: (MapImage<Scalar>) -> MapCotangents<Scalar>
  ) throws -> MapGradient<Scalar> {
    let problem = problem(states, parameters)
    let image = image(of: states, parameters, try solver.evaluate(problem).velocities)
    let imageCotangents = cotangents(image)
    let gradient = try solver.fieldGradient(of: .cotangents(velocities: imageCotangents.states), at: problem)
    var sums = packed(gradient.parameters)
    let determinantBar = imageCotangents.logDeterminants.reduce(0, +)
    for index in layout.logDiagonal {
      // The gradient by U's diagonal times the derivative of exp, which is the diagonal itself; plus the gradient of
      // the log-determinant, which is the sum of these logarithms (Kingma, Dhariwal 2018, arXiv 1807.03039, section
      // 3.2).
      sums[index] = sums[index] * Scalar(exp(Double(parameters[index]))) + Scalar(determinantBar)
    }
    return MapGradient(parameters: sums, states: gradient.states, image: image)
  }

  private func problem(_ states: [Scalar], _ parameters: [Scalar]) -> SolveProblem<Scalar> {
    SolveProblem(parameters: expanded(parameters), states: states, from: 0, to: 1)
  }

  /// The program's parameters: U `[D][D]`, zeros `[D]`, P L `[D][D]`, b `[D]`.
  private func expanded(_ parameters: [Scalar]) -> [Scalar] {
    let dimension = layout.dimension
    let second = dimension * (dimension + 1)
    var all = [Scalar](repeating: 0, count: 2 * second)
    for row in 0..<dimension {
      all[row * (dimension + 1)] = Scalar(exp(Double(parameters[layout.logDiagonal.lowerBound + row])))
      for column in row + 1..<max(dimension, row + 1) {
        all[row * dimension + column] = parameters[layout.upper(row, column)]
      }
      let source = permutation[row]
      for column in 0..<source { all[second + row * dimension + column] = parameters[layout.lower(source, column)] }
      all[second + row * dimension + source] = 1
      all[second + dimension * dimension + row] = parameters[layout.bias.lowerBound + row]
    }
    return all
  }

  /// Gathers the gradient of the flow's parameters from the program's; the entries of U's diagonal are copied
  /// unchanged.
  private func packed(_ all: [Scalar]) -> [Scalar] {
    let dimension = layout.dimension
    let second = dimension * (dimension + 1)
    var parameters = [Scalar](repeating: 0, count: second)
    for row in 0..<dimension {
      parameters[layout.logDiagonal.lowerBound + row] = all[row * (dimension + 1)]
      for column in row + 1..<max(dimension, row + 1) {
        parameters[layout.upper(row, column)] = all[row * dimension + column]
      }
      let source = permutation[row]
      for column in 0..<source { parameters[layout.lower(source, column)] = all[second + row * dimension + column] }
      parameters[layout.bias.lowerBound + row] = all[second + dimension * dimension + row]
    }
    return parameters
  }
}

/// The layout of an affine flow's flat parameter array.
struct AffineLayout: Sendable {
  let dimension: Int

  private var triangle: Int { dimension * (dimension - 1) / 2 }

  /// Index of L's entry at (`row`, `column`), with `column` < `row`.
  func lower(_ row: Int, _ column: Int) -> Int { row * (row - 1) / 2 + column }
  /// Index of U's entry at (`row`, `column`), with `column` > `row`: the rows before have D − 1, D − 2, … entries.
  func upper(_ row: Int, _ column: Int) -> Int {
    triangle + row * dimension - row * (row + 1) / 2 + column - row - 1
  }
  var logDiagonal: Range<Int> { 2 * triangle..<2 * triangle + dimension }
  var bias: Range<Int> { logDiagonal.upperBound..<logDiagonal.upperBound + dimension }
  /// The names in files.
  var names: ParameterNames {
    ParameterNames([
      (name: "lower_entries", shape: [triangle]), (name: "upper_entries", shape: [triangle]),
      (name: "log_diagonal", shape: [dimension]), (name: "bias", shape: [dimension]),
    ])
  }
}
