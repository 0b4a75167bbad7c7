import FieldPrograms

// With z = Wx + b, y = σ(z), ẏ = σ′(z) ∘ ż, ż = Wẋ, and cotangents written with a bar:
//   ż̄ = σ′ ∘ ẏ̄,   z̄ = σ′ ∘ ȳ + σ″ ∘ ż ∘ ẏ̄,   x̄ = Wᵀz̄,   ẋ̄ = Wᵀż̄,   W̄ += z̄xᵀ + ż̄ẋᵀ,   b̄ += z̄.
// The tangent's sweeps go first, one per direction, and leave Σ σ″ ∘ ż ∘ ẏ̄ as `curvatureTerms`; then one sweep of the
// value does the rest.

extension FieldEvaluator {
  /// Reverse of `tangent`, from the last of `cotangents.tangents`. Adds to `curvatureTerms` and to `sums`.
  func reverseTangent(_ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>) {
    for block in 0..<plan.steps.count where plan.carriesTangentCotangent[block] { bars.tangents[block].fill(V(0)) }
    for number in plan.steps.indices.reversed() where plan.carriesTangentCotangent[number + 1] {
      let step = plan.steps[number]
      let output = bars.tangents[number + 1]
      let inputCarries = plan.carriesTangentCotangent[step.first]
      switch step.kind {
      case .linear:
        var linear = output
        if step.activation != .identity {
          linear = bars.scratch.rows(from: 0, count: output.rows)
          addCurvatureTerms(number, tape, output, bars)
          let slopes = tape.slopes[number]
          for index in 0..<output.count { linear[index] = slopes[index] * output[index] }
        }
        addOuterProduct(linear, panels.tangents[step.first], to: sums.weight(step.layer), bars)
        if inputCarries {
          multiply(weights.weightTransposed(step.layer), linear, addingTo: bars.tangents[step.first])
        }
      case .activation:
        if step.activation != .identity { addCurvatureTerms(number, tape, output, bars) }
        if inputCarries {
          addThroughActivation(output, step, tape.slopes[number], to: bars.tangents[step.first])
        }
      case .time, .context: break
      case .multiply: reverseMultiplyTangent(number, tape, bars)
      case .slice:
        if inputCarries { bars.tangents[step.first].rows(from: step.offset, count: output.rows).add(output) }
      case .layerNorm: reverseNormTangent(number, tape, bars, sums)
      case .dropout:
        if inputCarries { addDropped(number, output, to: bars.tangents[step.first]) }
      case .scale:
        if inputCarries { addScaled(number, output, to: bars.tangents[step.first]) }
      case .sum:
        if inputCarries { addSpread(output, to: bars.tangents[step.first]) }
      case .transposed:
        addOuterProduct(panels.tangents[step.first], output, to: sums.weight(step.layer), bars)
        if inputCarries { multiply(weights.weight(step.layer), output, addingTo: bars.tangents[step.first]) }
      case .add:
        if inputCarries { bars.tangents[step.first].add(output) }
        if plan.carriesTangentCotangent[step.second] { bars.tangents[step.second].add(output) }
      case .concatenate:
        let split = plan.blockRows[step.first]
        if inputCarries { bars.tangents[step.first].add(output.rows(from: 0, count: split)) }
        if plan.carriesTangentCotangent[step.second] {
          bars.tangents[step.second].add(output.rows(from: split, count: output.rows - split))
        }
      case .callback:
        let back = reverseCallbackTangent(number, tape, bars, sums)
        if inputCarries { bars.tangents[step.first].add(back) }
      }
    }
  }

  /// Reverse of `value`, from the last of `cotangents.values`; the first becomes ∂/∂x. Those of `time` operations, and
  /// `callbackTimes`, are ∂/∂t. `curvatureTerms` contribute if `hasCurvatureTerms`. Adds to `sums`.
  func reverseValue(_ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>, hasCurvatureTerms: Bool)
  {
    for block in 0..<plan.steps.count { bars.values[block].fill(V(0)) }
    bars.callbackTimes.fill(V(0))
    for number in plan.steps.indices.reversed() {
      let step = plan.steps[number]
      let output = bars.values[number + 1]
      switch step.kind {
      case .linear:
        var linear = output
        if step.activation != .identity {
          linear = bars.scratch.rows(from: 0, count: output.rows)
          let slopes = tape.slopes[number]
          for index in 0..<output.count { linear[index] = slopes[index] * output[index] }
          if hasCurvatureTerms { linear.add(bars.curvatureTerms[number]) }
        }
        addOuterProduct(linear, tape.values[step.first], to: sums.weight(step.layer), bars)
        addLaneSums(linear, to: sums.bias(step.layer))
        multiply(weights.weightTransposed(step.layer), linear, addingTo: bars.values[step.first])
      case .activation:
        let input = bars.values[step.first]
        addThroughActivation(output, step, tape.slopes[number], to: input)
        if hasCurvatureTerms && step.activation != .identity { input.add(bars.curvatureTerms[number]) }
      case .time: break
      case .context: bars.context.add(output)
      case .multiply: reverseMultiplyValue(number, tape, bars, hasCurvatureTerms: hasCurvatureTerms)
      case .slice: bars.values[step.first].rows(from: step.offset, count: output.rows).add(output)
      case .layerNorm: reverseNormValue(number, tape, bars, sums, hasCurvatureTerms: hasCurvatureTerms)
      case .dropout: addDropped(number, output, to: bars.values[step.first])
      case .scale: addScaled(number, output, to: bars.values[step.first])
      case .sum: addSpread(output, to: bars.values[step.first])
      case .transposed:
        addOuterProduct(tape.values[step.first], output, to: sums.weight(step.layer), bars)
        multiply(weights.weight(step.layer), output, addingTo: bars.values[step.first])
      case .add:
        bars.values[step.first].add(output)
        bars.values[step.second].add(output)
      case .concatenate:
        let split = plan.blockRows[step.first]
        bars.values[step.first].add(output.rows(from: 0, count: split))
        bars.values[step.second].add(output.rows(from: split, count: output.rows - split))
      case .callback:
        reverseCallbackValue(number, tape, bars, sums, hasCurvatureTerms: hasCurvatureTerms)
      }
    }
  }

  /// `matrix += cotangent inputᵀ`, summed over lanes.
  @inline(__always)
  func addOuterProduct(
    _ cotangent: Panel<V>, _ input: Panel<V>, to matrix: Panel<V>, _ bars: CotangentPanels<V>
  ) {
    let transposed = bars.transposed.reshaped(from: 0, rows: input.lanes, groups: matrix.groups)
    transposed.transpose(input)
    multiply(cotangent.matrix, transposed, addingTo: matrix)
  }

  @inline(__always)
  private func addCurvatureTerms(_ number: Int, _ tape: FieldTape<V>, _ output: Panel<V>, _ bars: CotangentPanels<V>) {
    let curvatureTerms = bars.curvatureTerms[number]
    let curvatures = tape.curvatures[number]
    let linear = panels.preactivationTangents[number]
    for index in 0..<output.count {
      curvatureTerms[index] = curvatureTerms[index] + curvatures[index] * linear[index] * output[index]
    }
  }

  @inline(__always)
  private func addThroughActivation(
    _ output: Panel<V>, _ step: FieldPlan.Step, _ slopes: Panel<V>, to input: Panel<V>
  ) {
    if step.activation == .identity {
      input.add(output)
    } else {
      for index in 0..<output.count { input[index] = input[index] + slopes[index] * output[index] }
    }
  }

  @inline(__always)
  func addLaneSums(_ panel: Panel<V>, to sums: Panel<V>) {
    for row in 0..<panel.rows {
      var sum = sums[row, 0]
      for group in 0..<groups { sum = sum + panel[row, group] }
      sums[row, 0] = sum
    }
  }
}
