import FieldPrograms

/// A field program with all derived values that an evaluation needs.
struct FieldPlan: Sendable {
  /// One operation. Operation number i produces block i + 1.
  struct Step: Sendable {
    enum Kind: Sendable {
      case linear, activation, time, add, concatenate, callback, multiply, slice, context, layerNorm, dropout, scale
      case transposed, sum
    }
    let kind: Kind
    /// Block of the first operand; 0 for `time` and `context`.
    var first = 0
    /// Block of the second operand of `add`, `concatenate` and `multiply`; else 0.
    var second = 0
    var activation = Activation.identity
    /// Number of a linear operation among the linear ones; for a transposed one the number of the operation whose
    /// weights it takes; of a callback among the callbacks; of a norm among the norms; otherwise −1.
    var layer = -1
    /// First row of a slice in its operand, or of a dropout among the masks; otherwise 0.
    var offset = 0
    /// Factor and offset of a scale; otherwise 1 and 0.
    var factor = 1.0
    var constant = 0.0
  }

  let stateDimension: Int
  let steps: [Step]
  let blockRows: [Int]
  let layers: [FieldProgram.LinearLayout]
  let callbacks: [FieldProgram.CallbackLayout]
  let norms: [FieldProgram.NormLayout]
  let dropouts: [FieldProgram.DropoutLayout]
  let contextDimension: Int
  let parameterCount: Int
  /// Whether a block depends on the state through parameters or a nonlinearity. Cotangents of tangents stop at the
  /// other blocks, because nothing is learned from them.
  let carriesTangentCotangent: [Bool]
  /// Whether a block depends on the state: only then does it have a tangent.
  let dependsOnState: [Bool]
  /// Whether f may depend on t other than through x: its last block depends on the time or on a callback.
  let readsTime: Bool
  /// Whether dx/dt depends on a block.
  let isRead: [Bool]

  /// The steps of `program`, and which blocks carry a cotangent of their tangent.
  private static func steps(of program: FieldProgram) -> (steps: [Step], carries: [Bool]) {
    var steps: [Step] = []
    var carries = [false]
    let depends = program.dependsOnState
    var layer = 0
    var callback = 0
    var norm = 0
    var maskRow = 0
    func append(_ step: Step, carries carried: Bool) {
      steps.append(step)
      carries.append(carried)
    }
    for operation in program.operations {
      switch operation {
      case .linear(let input, _, let activation):
        append(Step(kind: .linear, first: input.index, activation: activation, layer: layer), carries: true)
        layer += 1
      case .activation(let input, let activation):
        append(Step(kind: .activation, first: input.index, activation: activation), carries: true)
      case .callback(let input, _, _):
        append(Step(kind: .callback, first: input.index, layer: callback), carries: depends[input.index])
        callback += 1
      case .time:
        append(Step(kind: .time), carries: false)
      case .add(let first, let second):
        append(
          Step(kind: .add, first: first.index, second: second.index),
          carries: carries[first.index] || carries[second.index])
      case .concatenate(let first, let second):
        append(
          Step(kind: .concatenate, first: first.index, second: second.index),
          carries: carries[first.index] || carries[second.index])
      case .multiply(let first, let second):
        append(
          Step(kind: .multiply, first: first.index, second: second.index),
          carries: depends[first.index] || depends[second.index])
      case .slice(let input, let row, _):
        append(Step(kind: .slice, first: input.index, offset: row), carries: carries[input.index])
      case .context:
        append(Step(kind: .context), carries: false)
      case .layerNorm(let input, _):
        append(Step(kind: .layerNorm, first: input.index, layer: norm), carries: depends[input.index])
        norm += 1
      case .dropout(let input, _):
        append(Step(kind: .dropout, first: input.index, offset: maskRow), carries: carries[input.index])
        maskRow += program.blockRows[input.index]
      case .scale(let input, let factor, let constant):
        append(
          Step(kind: .scale, first: input.index, factor: factor, constant: constant), carries: carries[input.index])
      case .sum(let input):
        append(Step(kind: .sum, first: input.index), carries: carries[input.index])
      case .transposed(let input, let weights):
        let source = steps[weights.index - 1].layer
        append(Step(kind: .transposed, first: input.index, layer: source), carries: true)
      }
    }
    return (steps, carries)
  }

  init(_ program: FieldProgram) {
    let (steps, carries) = Self.steps(of: program)
    self.stateDimension = program.stateDimension
    self.steps = steps
    self.blockRows = program.blockRows
    self.layers = program.linearLayouts
    self.callbacks = program.callbackLayouts
    self.norms = program.normLayouts
    self.dropouts = program.dropoutLayouts
    self.contextDimension = program.contextDimension
    self.parameterCount = program.parameterCount
    self.carriesTangentCotangent = carries
    self.dependsOnState = program.dependsOnState
    var isRead = Array(repeating: false, count: steps.count) + [true]
    for number in steps.indices.reversed() where isRead[number + 1] {
      isRead[steps[number].first] = true
      isRead[steps[number].second] = true
    }
    self.isRead = isRead
    readsTime = steps.indices.contains {
      isRead[$0 + 1] && (steps[$0].kind == .time || steps[$0].kind == .callback)
    }
  }

  /// Rows of all masks of a sample.
  var maskRows: Int { dropouts.reduce(0) { $0 + $1.rows } }

  /// Rows that a product or norm, operation `number`, stores for its operands' cotangents; 0 for others.
  func coupledRows(_ number: Int) -> (first: Int, second: Int) {
    let step = steps[number]
    return switch step.kind {
    case .multiply: (blockRows[step.first], blockRows[step.second])
    case .layerNorm: (blockRows[step.first], 0)
    default: (0, 0)
    }
  }

  /// Rows for which operation `number` stores derivatives: none for a linear operation without a nonlinearity.
  func nonlinearRows(_ number: Int) -> Int {
    steps[number].activation == .identity ? 0 : blockRows[number + 1]
  }
}
