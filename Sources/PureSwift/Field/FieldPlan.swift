import FieldPrograms

/// A field program with everything derived from it that an evaluation needs.
struct FieldPlan: Sendable {
  /// One operation. Operation number i makes block i + 1.
  struct Step: Sendable {
    enum Kind: Sendable { case linear, activation, time, add, concatenate }
    let kind: Kind
    /// Block of the first operand; 0 for `time`.
    let first: Int
    /// Block of the second operand of `add` and `concatenate`; else 0.
    let second: Int
    let activation: Activation
    /// Number of a linear operation among the linear ones; else −1.
    let layer: Int
  }

  let stateDimension: Int
  let steps: [Step]
  let blockRows: [Int]
  let layers: [FieldProgram.LinearLayout]
  let parameterCount: Int
  /// Whether a block depends on the state by way of parameters or a nonlinearity. Cotangents of tangents stop at blocks
  /// that do not: nothing is learned from them.
  let carriesTangentCotangent: [Bool]

  init(_ program: FieldProgram) {
    var steps: [Step] = []
    var carries = [false]
    var layer = 0
    for operation in program.operations {
      switch operation {
      case .linear(let input, _, let activation):
        steps.append(Step(kind: .linear, first: input.index, second: 0, activation: activation, layer: layer))
        carries.append(true)
        layer += 1
      case .activation(let input, let activation):
        steps.append(Step(kind: .activation, first: input.index, second: 0, activation: activation, layer: -1))
        carries.append(true)
      case .time:
        steps.append(Step(kind: .time, first: 0, second: 0, activation: .identity, layer: -1))
        carries.append(false)
      case .add(let first, let second):
        steps.append(Step(kind: .add, first: first.index, second: second.index, activation: .identity, layer: -1))
        carries.append(carries[first.index] || carries[second.index])
      case .concatenate(let first, let second):
        steps.append(
          Step(kind: .concatenate, first: first.index, second: second.index, activation: .identity, layer: -1))
        carries.append(carries[first.index] || carries[second.index])
      }
    }
    self.stateDimension = program.stateDimension
    self.steps = steps
    self.blockRows = program.blockRows
    self.layers = program.linearLayouts
    self.parameterCount = program.parameterCount
    self.carriesTangentCotangent = carries
  }

  /// Rows that operation `number` keeps derivatives of: none for a linear operation without a nonlinearity.
  func nonlinearRows(_ number: Int) -> Int {
    steps[number].activation == .identity ? 0 : blockRows[number + 1]
  }
}
