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
    var op = cnf_op()
    op.input = CNF_NO_BLOCK
    op.input2 = CNF_NO_BLOCK
    switch operation {
    case .linear(let input, let rows, let activation):
      op.kind = Int32(CNF_OP_LINEAR.rawValue)
      op.input = Int32(clamping: input.index)
      op.rows = Int32(clamping: rows)
      op.activation = of(activation)
    case .activation(let input, let activation):
      op.kind = Int32(CNF_OP_ACTIVATION.rawValue)
      op.input = Int32(clamping: input.index)
      op.activation = of(activation)
    case .time:
      op.kind = Int32(CNF_OP_TIME.rawValue)
    case .add(let first, let second):
      op.kind = Int32(CNF_OP_ADD.rawValue)
      op.input = Int32(clamping: first.index)
      op.input2 = Int32(clamping: second.index)
    case .concatenate(let first, let second):
      op.kind = Int32(CNF_OP_CONCAT.rawValue)
      op.input = Int32(clamping: first.index)
      op.input2 = Int32(clamping: second.index)
    case .callback(let input, let rows, _):  // `FieldHandle` adds the functions.
      op.kind = Int32(CNF_OP_CALLBACK.rawValue)
      op.input = Int32(clamping: input.index)
      op.rows = Int32(clamping: rows)
    case .multiply(let first, let second):
      op.kind = Int32(CNF_OP_MULTIPLY.rawValue)
      op.input = Int32(clamping: first.index)
      op.input2 = Int32(clamping: second.index)
    case .slice(let input, let first, let rows):
      op.kind = Int32(CNF_OP_SLICE.rawValue)
      op.input = Int32(clamping: input.index)
      op.first = Int32(clamping: first)
      op.rows = Int32(clamping: rows)
    case .context(let rows):
      op.kind = Int32(CNF_OP_CONTEXT.rawValue)
      op.rows = Int32(clamping: rows)
    case .layerNorm(let input, let epsilon):
      op.kind = Int32(CNF_OP_LAYER_NORM.rawValue)
      op.input = Int32(clamping: input.index)
      op.number = epsilon
    case .dropout(let input, let rate):
      op.kind = Int32(CNF_OP_DROPOUT.rawValue)
      op.input = Int32(clamping: input.index)
      op.number = rate
    case .scale(let input, let factor, let offset):
      op.kind = Int32(CNF_OP_SCALE.rawValue)
      op.input = Int32(clamping: input.index)
      op.number = factor
      op.offset = offset
    case .transposed(let input, let weights):
      op.kind = Int32(CNF_OP_TRANSPOSED.rawValue)
      op.input = Int32(clamping: input.index)
      op.tied = Int32(clamping: weights.index)
    case .sum(let input):
      op.kind = Int32(CNF_OP_SUM.rawValue)
      op.input = Int32(clamping: input.index)
    }
    return op
  }

  /// The trace of a `CNF_TRACE_…` constant; `.none` for an unknown one.
  static func trace(_ value: Int32) -> Trace {
    Trace.allCases.first { of($0) == value } ?? .none
  }
}
