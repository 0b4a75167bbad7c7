import CLibrary

/// Coupling layers on many samples: a backend runs the nets, the rest is element by element (Dinh, Sohl-Dickstein,
/// Bengio 2017, arXiv 1605.08803).
///
/// The backward pass uses the stored [s, t] and states of every layer, and inverts nothing: the gradient is that of the
/// numbers that were computed. Memory is O(depth · count · D).
struct CouplingMap<Scalar: FlowScalar>: InvertibleMap {
  let nets: [CouplingNet]
  /// One solver for each net; nets of one shape share a solver.
  let solvers: [any FieldSolver<Scalar>]
  /// The index at which each net's parameters begin, and the end of the last.
  let offsets: [Int]

  init(nets: [CouplingNet], threads: Int?, backend: Backend) throws {
    self.nets = nets
    offsets = nets.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.program.parameterCount) }
    solvers = try makeSolvers(
      programs: nets.map(\.program), options: .evaluation(threads: threads), backend: backend)
  }

  private var dimension: Int { nets[0].mask.dimension }

  func image(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    var image = MapImage(
      states: states, logDeterminants: [Double](repeating: 0, count: states.count / dimension))
    for layer in nets.indices {
      let moves = try moves(of: image.states, parameters, layer: layer)
      CouplingLayer.move(&image, by: moves, nets[layer])
    }
    return image
  }

  func inverse(of states: [Scalar], parameters: [Scalar]) throws -> MapImage<Scalar> {
    var image = MapImage(
      states: states, logDeterminants: [Double](repeating: 0, count: states.count / dimension))
    for layer in nets.indices.reversed() {
      let moves = try moves(of: image.states, parameters, layer: layer)
      CouplingLayer.moveBack(&image, by: moves, nets[layer])
    }
    return image
  }

  func gradient(
    at states: [Scalar], parameters: [Scalar], cotangents: (MapImage<Scalar>) -> MapCotangents<Scalar>
  ) throws -> MapGradient<Scalar> {
    var image = MapImage(
      states: states, logDeterminants: [Double](repeating: 0, count: states.count / dimension))
    var kept: [(states: [Scalar], moves: [Scalar])] = []
    for layer in nets.indices {
      let moves = try moves(of: image.states, parameters, layer: layer)
      kept.append((image.states, moves))
      CouplingLayer.move(&image, by: moves, nets[layer])
    }
    var imageCotangents = cotangents(image)
    var sums = [Scalar](repeating: 0, count: parameters.count)
    for layer in nets.indices.reversed() {
      let net = nets[layer]
      let moveBars = CouplingLayer.reverse(&imageCotangents, through: kept[layer], net)
      let gradient = try solvers[layer].fieldGradient(
        of: .cotangents(velocities: moveBars), at: problem(kept[layer].states, parameters, layer: layer))
      sums.replaceSubrange(offsets[layer]..<offsets[layer + 1], with: gradient.parameters)
      CouplingLayer.add(gradient.states, to: &imageCotangents.states, net)
      kept.removeLast()
    }
    return MapGradient(parameters: sums, states: imageCotangents.states, image: image)
  }

  /// [s, t] of every sample, `[count][rows]`.
  private func moves(of states: [Scalar], _ parameters: [Scalar], layer: Int) throws -> [Scalar] {
    try solvers[layer].evaluate(problem(states, parameters, layer: layer)).velocities
  }

  private func problem(_ states: [Scalar], _ parameters: [Scalar], layer: Int) -> SolveProblem<Scalar> {
    SolveProblem(
      parameters: Array(parameters[offsets[layer]..<offsets[layer + 1]]),
      states: CouplingLayer.seen(of: states, nets[layer]), from: 0, to: 1)
  }
}

/// The element-wise part of a coupling layer. `@_specialize` makes these loops concrete; generic callers would
/// otherwise run them through witness tables.
private enum CouplingLayer {
  /// x_a of every sample, padded with zeros to the net's rows: `[count][rows]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func seen<Scalar: FlowScalar>(of states: [Scalar], _ net: CouplingNet) -> [Scalar] {
    let (dimension, rows) = (net.mask.dimension, net.rows)
    let count = states.count / dimension
    let columns = net.mask.conditioning
    var seen = [Scalar](repeating: 0, count: count * rows)
    for sample in 0..<count {
      for (place, column) in columns.enumerated() {
        seen[sample * rows + place] = states[sample * dimension + column]
      }
    }
    return seen
  }

  /// `z_b = x_b · exp(s) + t`; adds Σ s to the log-determinants (Dinh et al. 2017, section 3.2 for the layer, 3.3 for
  /// its Jacobian). exp is taken in Double, so that its rounding does not show in Float.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func move<Scalar: FlowScalar>(_ image: inout MapImage<Scalar>, by moves: [Scalar], _ net: CouplingNet) {
    let (dimension, rows) = (net.mask.dimension, net.rows)
    let columns = net.mask.transformed
    for sample in image.logDeterminants.indices {
      var sum = 0.0
      for (place, column) in columns.enumerated() {
        let scale = Double(moves[sample * rows + place])
        let shift = moves[sample * rows + columns.count + place]
        let index = sample * dimension + column
        image.states[index] = image.states[index] * Scalar(exp(scale)) + shift
        sum += scale
      }
      image.logDeterminants[sample] += sum
    }
  }

  /// The inverse of the same layer, `x_b = (z_b − t) · exp(−s)`; subtracts Σ s from the log-determinants.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func moveBack<Scalar: FlowScalar>(_ image: inout MapImage<Scalar>, by moves: [Scalar], _ net: CouplingNet) {
    let (dimension, rows) = (net.mask.dimension, net.rows)
    let columns = net.mask.transformed
    for sample in image.logDeterminants.indices {
      var sum = 0.0
      for (place, column) in columns.enumerated() {
        let scale = Double(moves[sample * rows + place])
        let shift = moves[sample * rows + columns.count + place]
        let index = sample * dimension + column
        image.states[index] = (image.states[index] - shift) * Scalar(exp(-scale))
        sum += scale
      }
      image.logDeterminants[sample] -= sum
    }
  }

  /// The derivative of `move`. Takes cotangents back, `x̄_b = z̄_b exp(s)`, and returns those of [s, t],
  /// `[count][rows]`: `s̄ = z̄_b x_b exp(s) + l̄` and `t̄ = z̄_b`, with l the log-determinant.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func reverse<Scalar: FlowScalar>(
    _ cotangents: inout MapCotangents<Scalar>, through kept: (states: [Scalar], moves: [Scalar]), _ net: CouplingNet
  ) -> [Scalar] {
    let (dimension, rows) = (net.mask.dimension, net.rows)
    let columns = net.mask.transformed
    var moveBars = [Scalar](repeating: 0, count: kept.moves.count)
    for sample in cotangents.logDeterminants.indices {
      let determinantBar = Scalar(cotangents.logDeterminants[sample])
      for (place, column) in columns.enumerated() {
        let factor = Scalar(exp(Double(kept.moves[sample * rows + place])))
        let index = sample * dimension + column
        let bar = cotangents.states[index]
        moveBars[sample * rows + place] = bar * kept.states[index] * factor + determinantBar
        moveBars[sample * rows + columns.count + place] = bar
        cotangents.states[index] = bar * factor
      }
    }
    return moveBars
  }

  /// Adds the cotangents that came back through the net, `[count][rows]`, to x̄_a.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func add<Scalar: FlowScalar>(_ seenBars: [Scalar], to states: inout [Scalar], _ net: CouplingNet) {
    let (dimension, rows) = (net.mask.dimension, net.rows)
    let columns = net.mask.conditioning
    for sample in 0..<states.count / dimension {
      for (place, column) in columns.enumerated() {
        states[sample * dimension + column] += seenBars[sample * rows + place]
      }
    }
  }
}
