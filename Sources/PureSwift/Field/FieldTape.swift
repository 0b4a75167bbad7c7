import FieldPrograms

/// The intermediate values of one evaluation of a tile, for its derivatives.
struct FieldTape<V: LaneVector> {
  /// Every block, the state first, `[rows][lanes]`.
  let values: [Panel<V>]
  /// σ′ of every operation; empty if it is linear or no derivative is wanted.
  let slopes: [Panel<V>]
  /// σ″ in the same form.
  let curvatures: [Panel<V>]
  /// t of every lane, for the derivatives of callbacks; empty if there are none.
  let times: SharedArray<Double>
  /// The normalised values of every norm, and 1/√(variance + ε), one row; empty for other operations.
  let norms: [(normalised: Panel<V>, inverse: Panel<V>)]

  init(plan: FieldPlan, groups: Int, keepsSlopes: Bool, keepsCurvatures: Bool, pool: PanelPool<V>) {
    values = plan.blockRows.map { pool.panel(rows: $0, groups: groups) }
    slopes = plan.steps.indices.map {
      pool.panel(rows: keepsSlopes ? plan.nonlinearRows($0) : 0, groups: groups)
    }
    curvatures = plan.steps.indices.map {
      pool.panel(rows: keepsCurvatures ? plan.nonlinearRows($0) : 0, groups: groups)
    }
    times = SharedArray(repeating: 0, count: plan.callbacks.isEmpty ? 0 : groups * V.scalarCount)
    norms = plan.steps.indices.map { number in
      let rows = plan.steps[number].kind == .layerNorm ? plan.blockRows[number + 1] : 0
      return (pool.panel(rows: rows, groups: groups), pool.panel(rows: min(rows, 1), groups: groups))
    }
  }

  @inline(__always) var state: Panel<V> { values[0] }
  @inline(__always) var velocity: Panel<V> { values[values.count - 1] }
}

/// Scratch panels for the derivatives of one evaluation; all evaluations of a tile share them.
struct DerivativePanels<V: LaneVector> {
  /// ẋ of every block.
  let tangents: [Panel<V>]
  /// ż of every nonlinear operation: its own panel for a linear operation, the input's tangent for an activation.
  let preactivationTangents: [Panel<V>]
  /// Scratch of norms: twice the rows of the widest.
  let room: Panel<V>

  init(plan: FieldPlan, groups: Int, pool: PanelPool<V>) {
    let tangents = plan.blockRows.map { pool.panel(rows: $0, groups: groups) }
    self.tangents = tangents
    preactivationTangents = plan.steps.indices.map { number in
      plan.steps[number].kind == .activation
        ? tangents[plan.steps[number].first] : pool.panel(rows: plan.nonlinearRows(number), groups: groups)
    }
    room = pool.panel(rows: 2 * (plan.norms.map(\.rows).max() ?? 0), groups: groups)
  }
}

/// The panels of reverse sweeps.
struct CotangentPanels<V: LaneVector> {
  /// Cotangents of every block's value.
  let values: [Panel<V>]
  /// Cotangents of every block's tangent.
  let tangents: [Panel<V>]
  /// The divergence's contribution to the cotangent of every nonlinear operation's preactivation, through σ′.
  let curvatureTerms: [Panel<V>]
  /// The divergence's contribution to the cotangents of every callback's x, then of its t.
  let held: [Panel<V>]
  /// The divergence's contribution to the cotangents of every product's operands, and of every norm's.
  let couplings: [(first: Panel<V>, second: Panel<V>)]
  /// Sums over a sample's evaluations of the context's cotangents, `[C]`.
  let context: Panel<V>
  /// One callback's x̄, then t̄; and its ẋ̄.
  let callback: (valueAndTime: Panel<V>, tangent: Panel<V>)
  /// ∂/∂t through callbacks, one row.
  let callbackTimes: Panel<V>
  /// A cotangent of one operation's preactivation: as many rows as the widest block.
  let scratch: Panel<V>
  /// A block transposed: `lanes` rows of as many columns as the widest operand has rows.
  let transposed: Panel<V>

  init(plan: FieldPlan, groups: Int, pool: PanelPool<V>, traceShape: (rows: Int, columns: Int)) {
    values = plan.blockRows.map { pool.panel(rows: $0, groups: groups) }
    tangents = plan.blockRows.map { pool.panel(rows: $0, groups: groups) }
    curvatureTerms = plan.steps.indices.map { pool.panel(rows: plan.nonlinearRows($0), groups: groups) }
    held = plan.callbacks.map { pool.panel(rows: $0.columns + 1, groups: groups) }
    couplings = plan.steps.indices.map { number in
      let rows = plan.coupledRows(number)
      return (pool.panel(rows: rows.first, groups: groups), pool.panel(rows: rows.second, groups: groups))
    }
    context = pool.panel(rows: plan.contextDimension, groups: groups)
    let widestInput = plan.callbacks.map(\.columns).max() ?? 0
    callback = (pool.panel(rows: widestInput + 1, groups: groups), pool.panel(rows: widestInput, groups: groups))
    callbackTimes = pool.panel(rows: 1, groups: groups)
    let widest = max(plan.blockRows.max() ?? 1, traceShape.rows, traceShape.columns)
    scratch = pool.panel(rows: widest, groups: groups)
    transposed = pool.panel(
      rows: groups * V.scalarCount * ((widest + V.scalarCount - 1) / V.scalarCount), groups: 1)
  }
}
