/// A vector field from a learned energy H by Hamilton's equations, `dq/dt = ∂H/∂p` and `dp/dt = −∂H/∂q` (Greydanus,
/// Dzamba, Yosinski 2019, Hamiltonian neural networks, arXiv 1906.01563).
///
/// The first half of the state's rows are positions q, the second half are momenta p. H is constant along a path, and
/// the divergence is 0, so the flow preserves volume.
public struct HamiltonianArchitecture: Sendable, Equatable {
  /// The widths of the hidden layers of the network that computes H.
  public var hidden: [Int]
  /// An activation with a smooth derivative: tanh, softplus, silu, sigmoid, elu, sin or logcosh.
  public var activation: Activation
  /// Whether `H = T(p) + V(q)`, with a network for each. The derivative of each half then depends on the other half
  /// only, and the partitioned methods (`leapfrog`, `yoshida4`) are symplectic.
  public var isSeparable: Bool
  /// Whether H depends on the time too. H is then not constant along a path, but the divergence is still 0.
  public var seesTime: Bool

  /// The default is the paper's network: two hidden layers of 200 tanh units.
  public init(
    hidden: [Int] = [200, 200], activation: Activation = .tanh, isSeparable: Bool = false, seesTime: Bool = false
  ) {
    self.hidden = hidden
    self.activation = activation
    self.isSeparable = isSeparable
    self.seesTime = seesTime
  }

  /// The field program for a state of `stateDimension` rows, an even number.
  ///
  /// - Throws: `DerivativeError` if the activation has no smooth derivative.
  public func program(stateDimension: Int) throws(DerivativeError) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let energy = appendEnergy(to: &program)
    try program.appendHamiltonian(of: energy)
    return program
  }

  /// A program with the same parameters as `program` whose every row is H. Evaluate it to get energies.
  public func energyProgram(stateDimension: Int) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let energy = appendEnergy(to: &program)
    let ones = program.append(.scale(input: .state, by: 0, plus: 1))
    program.append(.multiply(ones, energy))
    return program
  }

  /// Appends H, a block of one row.
  private func appendEnergy(to program: inout FieldProgram) -> FieldProgram.Block {
    precondition(
      program.stateDimension.isMultiple(of: 2),
      "a Hamiltonian field has \(program.stateDimension) rows, must be an even number: positions and as many momenta")
    guard isSeparable else { return appendNet(of: .state, to: &program) }
    let (positions, momenta) = program.appendHalves()
    let potential = appendNet(of: positions, to: &program)
    return program.append(.add(appendNet(of: momenta, to: &program), potential))
  }

  private func appendNet(of block: FieldProgram.Block, to program: inout FieldProgram) -> FieldProgram.Block {
    var block = block
    if seesTime { block = program.append(.concatenate(block, program.append(.time))) }
    for width in hidden { block = program.appendSmoothLayer(input: block, rows: width, activation: activation) }
    return program.append(.linear(input: block, rows: 1, activation: .identity))
  }
}

extension FieldProgram {
  /// Appends the two halves of the state: positions and momenta.
  mutating func appendHalves() -> (positions: Block, momenta: Block) {
    let half = stateDimension / 2
    return (
      append(.slice(input: .state, first: 0, rows: half)), append(.slice(input: .state, first: half, rows: half))
    )
  }

  /// Appends Hamilton's equations of `energy`, a block of one row, and returns the block dx/dt.
  ///
  /// If the program begins with the two halves of the state and reads the state only through them, it differentiates
  /// with respect to the halves. The derivatives of an energy T(p) + V(q) then depend on one half each.
  ///
  /// - Throws: `DerivativeError` if an operation has no derivative as a program.
  @discardableResult
  public mutating func appendHamiltonian(of energy: Block) throws(DerivativeError) -> Block {
    precondition(
      stateDimension.isMultiple(of: 2),
      "a Hamiltonian field has \(stateDimension) rows, must be an even number: positions and as many momenta")
    let half = stateDimension / 2
    let (byPositions, byMomenta): (Block, Block)
    if readsStateOnlyByHalves(before: energy) {
      let gradient = try appendGradient(of: energy, by: [Block(index: 1), Block(index: 2)])
      (byPositions, byMomenta) = (gradient[0], gradient[1])
    } else {
      let gradient = try appendGradient(of: energy, by: [.state])[0]
      byPositions = append(.slice(input: gradient, first: 0, rows: half))
      byMomenta = append(.slice(input: gradient, first: half, rows: half))
    }
    return append(.concatenate(byMomenta, append(.scale(input: byPositions, by: -1))))
  }

  /// Whether the program begins with the two halves of the state, and the operations up to `energy` read only these.
  private func readsStateOnlyByHalves(before energy: Block) -> Bool {
    let half = stateDimension / 2
    guard energy.index > 2, operations[0] == .slice(input: .state, first: 0, rows: half),
      operations[1] == .slice(input: .state, first: half, rows: half)
    else { return false }
    return !operations[2..<energy.index].contains { $0.inputs.contains(.state) }
  }

  /// Whether this program is what `appendHamiltonian` appends for one of its blocks, operation by operation.
  ///
  /// Its divergence is then exactly 0 and need not be computed.
  public var isHamiltonian: Bool {
    guard stateDimension.isMultiple(of: 2), let last = operations.last, case .concatenate = last else { return false }
    var prefix = FieldProgram(stateDimension: stateDimension)
    for operation in operations {
      let block = prefix.append(operation)
      guard prefix.blockRows[block.index] == 1 else { continue }
      var candidate = prefix
      guard (try? candidate.appendHamiltonian(of: block)) != nil else { continue }
      if candidate == self { return true }
    }
    return false
  }
}
