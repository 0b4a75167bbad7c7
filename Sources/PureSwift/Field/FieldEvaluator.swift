import FieldPrograms

/// Evaluates a field and its derivatives on one tile of lanes. One evaluator per worker; nothing is allocated after
/// `init`.
final class FieldEvaluator<V: LaneVector> {
  let plan: FieldPlan
  let weights: FieldWeights<V.Scalar>
  let trace: Trace
  let product: ProductForm?
  let groups: Int
  let pool = PanelPool<V>()
  /// t of every lane; set before an evaluation.
  let times: SharedArray<Double>
  /// Hutchinson's directions, `[K · D][lanes]`; empty for other traces.
  let probes: Panel<V>
  let probeCount: Int
  /// The context `[C]` of the lanes' samples, and the masks of all dropouts, which are 1 for rows that stay.
  let context: Panel<V>
  let masks: Panel<V>
  let panels: DerivativePanels<V>
  /// nil where no gradient is wanted.
  let cotangents: CotangentPanels<V>?
  /// Ones for an identity's σ′, and M d₁: for the product form.
  let ones: Panel<V>
  let traceProduct: Panel<V>

  init(
    plan: FieldPlan, weights: FieldWeights<V.Scalar>, resolution: TraceResolution, probeCount: Int, groups: Int,
    isReversible: Bool
  ) {
    self.plan = plan
    self.weights = weights
    self.groups = groups
    self.probeCount = probeCount
    trace = resolution.trace
    product = resolution.product
    times = SharedArray(repeating: 0, count: groups * V.scalarCount)
    probes = pool.panel(rows: trace == .hutchinson ? probeCount * plan.stateDimension : 0, groups: groups)
    context = pool.panel(rows: plan.contextDimension, groups: groups)
    masks = pool.panel(rows: plan.maskRows, groups: groups)
    panels = DerivativePanels(plan: plan, groups: groups, pool: pool)
    cotangents =
      isReversible
      ? CotangentPanels(plan: plan, groups: groups, pool: pool, traceShape: weights.traceShape) : nil
    let shape = weights.traceShape
    ones = pool.panel(rows: max(shape.rows, shape.columns), groups: groups)
    ones.fill(V(1))
    traceProduct = pool.panel(rows: shape.rows, groups: groups)
  }

  func makeTape(isReversible: Bool) -> FieldTape<V> {
    FieldTape(
      plan: plan, groups: groups, keepsSlopes: isReversible || trace != .none,
      keepsCurvatures: isReversible && trace != .none, pool: pool)
  }

  /// Evaluates f(x, t) from `tape.state` and `times`, and fills the other blocks of `tape`.
  func value(_ tape: FieldTape<V>) {
    for number in plan.steps.indices {
      let step = plan.steps[number]
      let output = tape.values[number + 1]
      switch step.kind {
      case .linear:
        let bias = weights.bias(step.layer)
        for row in 0..<output.rows {
          let value = V(repeating: bias[row, 0])
          for group in 0..<groups { output[row, group] = value }
        }
        multiply(weights.weight(step.layer), tape.values[step.first], addingTo: output)
        activate(step.activation, output, slopes: tape.slopes[number], curvatures: tape.curvatures[number])
      case .activation:
        output.copy(tape.values[step.first])
        activate(step.activation, output, slopes: tape.slopes[number], curvatures: tape.curvatures[number])
      case .time: for lane in 0..<times.count { output[0, lane: lane] = V.Scalar(times[lane]) }
      case .add: addBlocks(tape.values, step, output)
      case .concatenate: concatenateBlocks(tape.values, step, output)
      case .callback: callbackValue(number, tape)
      case .multiply: multiplyValue(step, tape.values, output)
      case .slice: output.copy(tape.values[step.first].rows(from: step.offset, count: output.rows))
      case .context: output.copy(context)
      case .layerNorm: normValue(number, tape, output)
      case .dropout:
        output.fill(V(0))
        addDropped(number, tape.values[step.first], to: output)
      case .scale:
        output.fill(V(step.constant))
        addScaled(number, tape.values[step.first], to: output)
      case .transposed:
        output.fill(V(0))
        multiply(weights.weightTransposed(step.layer), tape.values[step.first], addingTo: output)
      case .sum:
        output.fill(V(0))
        addRows(tape.values[step.first], to: output)
      }
    }
  }

  /// Computes J ẋ: `panels.tangents[0]` is ẋ, the last of `panels.tangents` the result. Needs σ′ on the tape.
  func tangent(_ tape: FieldTape<V>) {
    for number in plan.steps.indices {
      let step = plan.steps[number]
      let output = panels.tangents[number + 1]
      switch step.kind {
      case .linear:
        let isNonlinear = step.activation != .identity
        let linear = isNonlinear ? panels.preactivationTangents[number] : output
        linear.fill(V(0))
        multiply(weights.weight(step.layer), panels.tangents[step.first], addingTo: linear)
        if isNonlinear { scale(linear, by: tape.slopes[number], into: output) }
      case .activation:
        if step.activation == .identity {
          output.copy(panels.tangents[step.first])
        } else {
          scale(panels.tangents[step.first], by: tape.slopes[number], into: output)
        }
      case .time, .context: break  // Zero since it was made: a state's tangent does not move t.
      case .add: addBlocks(panels.tangents, step, output)
      case .concatenate: concatenateBlocks(panels.tangents, step, output)
      case .callback: callbackTangent(number, tape)
      case .multiply: multiplyTangent(step, tape, output)
      case .slice: output.copy(panels.tangents[step.first].rows(from: step.offset, count: output.rows))
      case .layerNorm: normTangent(number, tape, output)
      case .dropout:
        output.fill(V(0))
        addDropped(number, panels.tangents[step.first], to: output)
      case .scale:
        output.fill(V(0))
        addScaled(number, panels.tangents[step.first], to: output)
      case .transposed:
        output.fill(V(0))
        multiply(weights.weightTransposed(step.layer), panels.tangents[step.first], addingTo: output)
      case .sum:
        output.fill(V(0))
        addRows(panels.tangents[step.first], to: output)
      }
    }
  }

  @inline(__always)
  private func addBlocks(_ blocks: [Panel<V>], _ step: FieldPlan.Step, _ output: Panel<V>) {
    let first = blocks[step.first]
    let second = blocks[step.second]
    for index in 0..<output.count { output[index] = first[index] + second[index] }
  }

  @inline(__always)
  private func concatenateBlocks(_ blocks: [Panel<V>], _ step: FieldPlan.Step, _ output: Panel<V>) {
    let first = blocks[step.first]
    let second = blocks[step.second]
    for index in 0..<first.count { output[index] = first[index] }
    for index in 0..<second.count { output[first.count &+ index] = second[index] }
  }

  @inline(__always)
  private func scale(_ input: Panel<V>, by factors: Panel<V>, into output: Panel<V>) {
    for index in 0..<output.count { output[index] = factors[index] * input[index] }
  }
}
