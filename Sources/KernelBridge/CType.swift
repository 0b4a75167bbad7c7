import CNFKernels

/// Converts values of this package to the constants of the C library.
enum CType {
  /// The `cnf_dtype` of a scalar type.
  static func of<Scalar: FlowScalar>(_: Scalar.Type) throws(KernelError) -> Int32 {
    if Scalar.self == Float.self { return Int32(CNF_FLOAT32.rawValue) }
    if Scalar.self == Double.self { return Int32(CNF_FLOAT64.rawValue) }
    throw .invalidOption(name: "scalar type", value: "\(Scalar.self)", allowed: "Float or Double")
  }

  static func of(_ activation: Activation) -> Int32 {
    switch activation {
    case .identity: Int32(CNF_ACTIVATION_IDENTITY.rawValue)
    case .tanh: Int32(CNF_ACTIVATION_TANH.rawValue)
    case .softplus: Int32(CNF_ACTIVATION_SOFTPLUS.rawValue)
    case .relu: Int32(CNF_ACTIVATION_RELU.rawValue)
    case .silu: Int32(CNF_ACTIVATION_SILU.rawValue)
    case .sigmoid: Int32(CNF_ACTIVATION_SIGMOID.rawValue)
    case .gelu: Int32(CNF_ACTIVATION_GELU.rawValue)
    case .elu: Int32(CNF_ACTIVATION_ELU.rawValue)
    case .sin: Int32(CNF_ACTIVATION_SIN.rawValue)
    case .logcosh: Int32(CNF_ACTIVATION_LOGCOSH.rawValue)
    }
  }

  static func of(_ trace: Trace) -> Int32 {
    switch trace {
    case .none: Int32(CNF_TRACE_NONE.rawValue)
    case .hutchinson: Int32(CNF_TRACE_HUTCHINSON.rawValue)
    case .exact: Int32(CNF_TRACE_EXACT.rawValue)
    case .exactTangents: Int32(CNF_TRACE_EXACT_TANGENTS.rawValue)
    case .exactProduct: Int32(CNF_TRACE_EXACT_PRODUCT.rawValue)
    case .automatic: Int32(CNF_TRACE_AUTOMATIC.rawValue)
    }
  }

  static func of(_ probe: Probe) -> Int32 {
    switch probe {
    case .rademacher: Int32(CNF_PROBE_RADEMACHER.rawValue)
    case .gaussian: Int32(CNF_PROBE_GAUSSIAN.rawValue)
    }
  }

  static func of(_ precision: Precision) -> Int32 {
    switch precision {
    case .full: Int32(CNF_PRECISION_FULL.rawValue)
    case .mixed: Int32(CNF_PRECISION_MIXED.rawValue)
    }
  }

  static func of(_ operation: FieldProgram.Operation) -> cnf_op {
    var op: cnf_op
    switch operation {
    case .linear(let input, let rows, let activation):
      op = Self.op(CNF_OP_LINEAR, input, rows: rows)
      op.activation = of(activation)
    case .activation(let input, let activation):
      op = Self.op(CNF_OP_ACTIVATION, input)
      op.activation = of(activation)
    case .time: op = Self.op(CNF_OP_TIME)
    case .add(let first, let second): op = Self.op(CNF_OP_ADD, first, second)
    case .concatenate(let first, let second): op = Self.op(CNF_OP_CONCAT, first, second)
    case .callback(let input, let rows, _):  // `FieldHandle` adds the functions.
      op = Self.op(CNF_OP_CALLBACK, input, rows: rows)
    case .multiply(let first, let second): op = Self.op(CNF_OP_MULTIPLY, first, second)
    case .slice(let input, let first, let rows):
      op = Self.op(CNF_OP_SLICE, input, rows: rows)
      op.first = Int32(clamping: first)
    case .context(let rows): op = Self.op(CNF_OP_CONTEXT, rows: rows)
    case .layerNorm(let input, let epsilon):
      op = Self.op(CNF_OP_LAYER_NORM, input)
      op.number = epsilon
    case .dropout(let input, let rate):
      op = Self.op(CNF_OP_DROPOUT, input)
      op.number = rate
    case .scale(let input, let factor, let offset):
      op = Self.op(CNF_OP_SCALE, input)
      op.number = factor
      op.offset = offset
    case .transposed(let input, let weights):
      op = Self.op(CNF_OP_TRANSPOSED, input)
      op.tied = Int32(clamping: weights.index)
    case .sum(let input): op = Self.op(CNF_OP_SUM, input)
    }
    return op
  }

  private static func op(
    _ kind: cnf_op_kind, _ input: FieldProgram.Block? = nil, _ second: FieldProgram.Block? = nil, rows: Int = 0
  ) -> cnf_op {
    var op = cnf_op()
    op.kind = Int32(kind.rawValue)
    op.input = input.map { Int32(clamping: $0.index) } ?? CNF_NO_BLOCK
    op.input2 = second.map { Int32(clamping: $0.index) } ?? CNF_NO_BLOCK
    op.rows = Int32(clamping: rows)
    return op
  }

  /// The trace of a `CNF_TRACE_…` constant; `.none` for an unknown one.
  static func trace(_ value: Int32) -> Trace {
    Trace.allCases.first { of($0) == value } ?? .none
  }
}
