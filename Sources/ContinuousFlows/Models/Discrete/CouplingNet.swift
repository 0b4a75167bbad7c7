/// The net of one coupling layer, as a field program that is evaluated and never solved.
///
/// The state is wide enough for the input x_a and the output [s, t]: `rows` = max(|a|, 2 |b|). Unused rows are 0 in the
/// input and ignored in the output.
struct CouplingNet: Sendable {
  let mask: CouplingMask
  let program: FieldProgram

  init(mask: CouplingMask, hidden: [Int], activation: Activation, scaleBound: Double) {
    self.mask = mask
    let (seen, moved) = (mask.conditioning.count, mask.transformed.count)
    let rows = max(seen, 2 * moved)
    var program = FieldProgram(stateDimension: rows)
    var block = FieldProgram.Block.state
    if seen < rows { block = program.append(.slice(input: block, first: 0, rows: seen)) }
    for width in hidden {
      block = program.append(.linear(input: block, rows: width, activation: activation))
    }
    let result = program.append(.linear(input: block, rows: 2 * moved, activation: .identity))
    // s = c tanh(ŝ / c).
    var scale = program.append(.slice(input: result, first: 0, rows: moved))
    scale = program.append(.scale(input: scale, by: 1 / scaleBound))
    scale = program.append(.activation(input: scale, .tanh))
    scale = program.append(.scale(input: scale, by: scaleBound))
    let shift = program.append(.slice(input: result, first: moved, rows: moved))
    let both = program.append(.concatenate(scale, shift))
    if 2 * moved < rows {
      let rest = program.append(.slice(input: .state, first: 0, rows: rows - 2 * moved))
      program.append(.concatenate(both, rest))
    }
    self.program = program
  }

  /// Rows of the program's state.
  var rows: Int { program.stateDimension }

  /// The initial parameters of this net, `[P]`: PyTorch's, with the last layer multiplied by `lastLayerScale`.
  func initialParameters(seed: UInt64, lastLayerScale: Float) -> [Float] {
    var parameters = InitialParameters.uniform(for: program, seed: seed)
    let layouts = program.linearLayouts
    for index in layouts[layouts.count - 1].weightOffset..<parameters.count { parameters[index] *= lastLayerScale }
    return parameters
  }
}
