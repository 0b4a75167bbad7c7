import FieldPrograms

/// A field program with everything derived from it that an evaluation needs.
struct FieldPlan: Sendable {
  /// One operation. Operation number i makes block i + 1.
  struct Step: Sendable {
    enum Kind: Sendable { case linear, activation, time, add, concatenate, callback }
    let kind: Kind
    /// Block of the first operand; 0 for `time`.
    let first: Int
    /// Block of the second operand of `add` and `concatenate`; else 0.
    let second: Int
    let activation: Activation
    /// Number of a linear operation among the linear ones, of a callback among the callbacks; else −1.
    let layer: Int
  }

  let stateDimension: Int
  let steps: [Step]
  let blockRows: [Int]
  let layers: [FieldProgram.LinearLayout]
  let callbacks: [FieldProgram.CallbackLayout]
  let parameterCount: Int
  /// Whether a block depends on the state by way of parameters or a nonlinearity. Cotangents of tangents stop at blocks
  /// that do not: nothing is learned from them.
  let carriesTangentCotangent: [Bool]
  /// Whether a block depends on the state: only then has it a tangent.
  let dependsOnState: [Bool]

  init(_ program: FieldProgram) {
    var steps: [Step] = []
    var carries = [false]
    var depends = [true]
    var layer = 0
    var callback = 0
    for operation in program.operations {
      switch operation {
      case .linear(let input, _, let activation):
        steps.append(Step(kind: .linear, first: input.index, second: 0, activation: activation, layer: layer))
        carries.append(true)
        depends.append(depends[input.index])
        layer += 1
      case .activation(let input, let activation):
        steps.append(Step(kind: .activation, first: input.index, second: 0, activation: activation, layer: -1))
        carries.append(true)
        depends.append(depends[input.index])
      case .callback(let input, _, _):
        steps.append(Step(kind: .callback, first: input.index, second: 0, activation: .identity, layer: callback))
        carries.append(depends[input.index])
        depends.append(depends[input.index])
        callback += 1
      case .time:
        steps.append(Step(kind: .time, first: 0, second: 0, activation: .identity, layer: -1))
        carries.append(false)
        depends.append(false)
      case .add(let first, let second):
        steps.append(Step(kind: .add, first: first.index, second: second.index, activation: .identity, layer: -1))
        carries.append(carries[first.index] || carries[second.index])
        depends.append(depends[first.index] || depends[second.index])
      case .concatenate(let first, let second):
        steps.append(
          Step(kind: .concatenate, first: first.index, second: second.index, activation: .identity, layer: -1))
        carries.append(carries[first.index] || carries[second.index])
        depends.append(depends[first.index] || depends[second.index])
      }
    }
    self.stateDimension = program.stateDimension
    self.steps = steps
    self.blockRows = program.blockRows
    self.layers = program.linearLayouts
    self.callbacks = program.callbackLayouts
    self.parameterCount = program.parameterCount
    self.carriesTangentCotangent = carries
    self.dependsOnState = depends
  }

  /// Rows that operation `number` keeps derivatives of: none for a linear operation without a nonlinearity.
  func nonlinearRows(_ number: Int) -> Int {
    steps[number].activation == .identity ? 0 : blockRows[number + 1]
  }
}
