/// Hamilton's equations of a learned energy: `dq/dt = ∂H/∂p`, `dp/dt = −∂H/∂q` for a state `(q, p)`, positions in its first half
/// of rows and momenta in its second (Greydanus, Dzamba, Yosinski 2019, Hamiltonian neural networks, arXiv 1906.01563).
///
/// Along a path H is constant, and the divergence is 0: volumes are kept.
public struct HamiltonianArchitecture: Sendable, Equatable {
  /// Widths of the hidden layers of a net that has one row, H.
  public var hidden: [Int]
  /// One with a smooth derivative: tanh, softplus, silu, sigmoid, elu, sin, logcosh.
  public var activation: Activation
  /// `H = T(p) + V(q)`, a net for each: then each half's rate depends on the other half alone, and the partitioned methods
  /// (`leapfrog`, `yoshida4`) are symplectic.
  public var isSeparable: Bool
  /// Whether H depends on the time too: it is then no constant, but the divergence is 0 all the same.
  public var seesTime: Bool

  /// The paper's net: two hidden layers of 200 tanh.
  public init(
    hidden: [Int] = [200, 200], activation: Activation = .tanh, isSeparable: Bool = false, seesTime: Bool = false
  ) {
    self.hidden = hidden
    self.activation = activation
    self.isSeparable = isSeparable
    self.seesTime = seesTime
  }

  /// `f(q, p)`, over a state of an even number of rows.
  ///
  /// - Throws: `DerivativeError` for an activation without a smooth derivative.
  public func program(stateDimension: Int) throws(DerivativeError) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let energy = appendEnergy(to: &program)
    try program.appendHamiltonian(of: energy)
    return program
  }

  /// A field whose every row is H, with the parameters of `program`: its velocities are energies.
  public func energyProgram(stateDimension: Int) -> FieldProgram {
    var program = FieldProgram(stateDimension: stateDimension)
    let energy = appendEnergy(to: &program)
    let ones = program.append(.scale(input: .state, by: 0, plus: 1))
    program.append(.multiply(ones, energy))
    return program
  }

  /// H, one row.
  private func appendEnergy(to program: inout FieldProgram) -> FieldProgram.Block {
    precondition(
      program.stateDimension.isMultiple(of: 2),
      "a Hamiltonian field over \(program.stateDimension) rows, must be positions and as many momenta")
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
  /// Appends positions and momenta, the halves of the state.
  mutating func appendHalves() -> (positions: Block, momenta: Block) {
    let half = stateDimension / 2
    return (
      append(.slice(input: .state, first: 0, rows: half)), append(.slice(input: .state, first: half, rows: half))
    )
  }

  /// Appends Hamilton's equations of `energy`, a block of one row, over the halves of the state.
  ///
  /// Where the program begins with the two halves and reads the state by them alone, derivatives are taken by these: those of
  /// an energy T(p) + V(q) then depend on one half each, operation by operation.
  ///
  /// - Throws: `DerivativeError` for an operation whose derivative is no program.
  @discardableResult
  public mutating func appendHamiltonian(of energy: Block) throws(DerivativeError) -> Block {
    precondition(
      stateDimension.isMultiple(of: 2),
      "a Hamiltonian field over \(stateDimension) rows, must be positions and as many momenta")
    let half = stateDimension / 2
    let (byPositions, byMomenta): (Block, Block)
    if readsHalvesAlone(before: energy) {
      let gradient = try appendGradient(of: energy, by: [Block(index: 1), Block(index: 2)])
      (byPositions, byMomenta) = (gradient[0], gradient[1])
    } else {
      let gradient = try appendGradient(of: energy, by: [.state])[0]
      byPositions = append(.slice(input: gradient, first: 0, rows: half))
      byMomenta = append(.slice(input: gradient, first: half, rows: half))
    }
    return append(.concatenate(byMomenta, append(.scale(input: byPositions, by: -1))))
  }

  private func readsHalvesAlone(before energy: Block) -> Bool {
    let half = stateDimension / 2
    guard energy.index > 2, operations[0] == .slice(input: .state, first: 0, rows: half),
      operations[1] == .slice(input: .state, first: half, rows: half)
    else { return false }
    return !operations[2..<energy.index].contains { $0.inputs.contains(.state) }
  }

  /// Whether this is Hamilton's equations of one of its own blocks, operation by operation as `appendHamiltonian` makes them: then
  /// its divergence is exactly 0, and nobody has to compute it.
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
