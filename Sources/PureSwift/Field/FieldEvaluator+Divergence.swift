import FieldPrograms

extension FieldEvaluator {
  /// Computes tr(∂f/∂x) with the solver's trace, into one row. If `frobenius` has a row, it gets mean_D (J ε)²: the
  /// mean over probes, or the sum over unit vectors. Needs a tape filled by `value`.
  func divergence(_ tape: FieldTape<V>, into result: Panel<V>, frobenius: Panel<V>) {
    result.fill(V(0))
    frobenius.fill(V(0))
    switch trace {
    case .exactProduct: productDivergence(tape, into: result)
    case .hutchinson, .exactTangents:
      for direction in 0..<directionCount {
        setDirection(direction)
        tangent(tape)
        addDirectionalTrace(direction, to: result)
        addDirectionalSquare(to: frobenius)
      }
      scaleByDirections(result)
      scaleByDirections(frobenius)
    default: break
    }
  }

  /// Computes `divergence` again and reverses it. `weight`, one row, is the divergence's cotangent, `frobeniusWeight`
  /// that of the Frobenius norm if it has a row. Overwrites `curvatureTerms`, which `reverseValue` then uses; adds to
  /// `sums`.
  func reverseDivergence(
    _ tape: FieldTape<V>, weight: Panel<V>, into result: Panel<V>, frobeniusWeight: Panel<V>, frobenius: Panel<V>,
    _ bars: CotangentPanels<V>, _ sums: GradientSums<V>
  ) {
    frobenius.fill(V(0))
    for curvatureTerms in bars.curvatureTerms { curvatureTerms.fill(V(0)) }
    for held in bars.held { held.fill(V(0)) }
    for (first, second) in bars.couplings {
      first.fill(V(0))
      second.fill(V(0))
    }
    result.fill(V(0))
    if trace == .exactProduct {
      productDivergence(tape, into: result)
      reverseProductDivergence(tape, weight: weight, bars, sums)
      return
    }
    let share = V(trace == .hutchinson ? 1 / Double(probeCount) : 1)
    for direction in 0..<directionCount {
      setDirection(direction)
      tangent(tape)
      addDirectionalTrace(direction, to: result)
      addDirectionalSquare(to: frobenius)
      let seed = bars.tangents[plan.steps.count]
      let input = panels.tangents[0]
      for row in 0..<seed.rows {
        for group in 0..<groups { seed[row, group] = share * weight[0, group] * input[row, group] }
      }
      addSquareCotangent(share: share, weight: frobeniusWeight, to: seed)
      reverseTangent(tape, bars, sums)
    }
    scaleByDirections(result)
    scaleByDirections(frobenius)
  }

  /// Column `number` of J = ∂f/∂x, by the tangent of a unit vector; valid until the next tangent. Needs a tape filled
  /// by `value`, with σ′.
  func jacobianColumn(_ number: Int, _ tape: FieldTape<V>) -> Panel<V> {
    precondition(trace != .hutchinson, "a Jacobian is taken by unit vectors")
    setDirection(number)
    tangent(tape)
    return panels.tangents[plan.steps.count]
  }

  /// Probes, or one unit vector per state row.
  private var directionCount: Int { trace == .hutchinson ? probeCount : plan.stateDimension }

  private func setDirection(_ direction: Int) {
    let input = panels.tangents[0]
    if trace == .hutchinson {
      input.copy(probes.rows(from: direction * input.rows, count: input.rows))
    } else {
      input.fill(V(0))
      for group in 0..<groups { input[direction, group] = V(1) }
    }
  }

  /// Adds εᵀ(J ε); for a unit vector this is one row of J ε.
  private func addDirectionalTrace(_ direction: Int, to result: Panel<V>) {
    let input = panels.tangents[0]
    let output = panels.tangents[plan.steps.count]
    for row in 0..<input.rows where trace == .hutchinson || row == direction {
      for group in 0..<groups {
        result[0, group] = result[0, group] + input[row, group] * output[row, group]
      }
    }
  }

  /// Adds |J ε|² / D, if there is a row for it.
  private func addDirectionalSquare(to result: Panel<V>) {
    guard !result.isEmpty else { return }
    let output = panels.tangents[plan.steps.count]
    let mean = V(1 / Double(plan.stateDimension))
    for row in 0..<output.rows {
      for group in 0..<groups {
        result[0, group] = result[0, group] + mean * output[row, group] * output[row, group]
      }
    }
  }

  /// Adds `share · weight · ∂(|J ε|² / D)/∂(J ε)`.
  private func addSquareCotangent(share: V, weight: Panel<V>, to seed: Panel<V>) {
    guard !weight.isEmpty else { return }
    let output = panels.tangents[plan.steps.count]
    let slope = V(2 / Double(plan.stateDimension))
    for row in 0..<seed.rows {
      for group in 0..<groups {
        seed[row, group] = seed[row, group] + share * weight[0, group] * slope * output[row, group]
      }
    }
  }

  private func scaleByDirections(_ result: Panel<V>) {
    guard trace == .hutchinson && probeCount > 1 && !result.isEmpty else { return }
    let share = V(1 / Double(probeCount))
    for group in 0..<groups { result[0, group] = share * result[0, group] }
  }
}

// MARK: - The product form: tr = d₂ᵀ M d₁

extension FieldEvaluator {
  /// σ′ of a hidden layer; ones if there is no such layer or it is an identity.
  private func productSlopes(_ hidden: Int, _ tape: FieldTape<V>, rows: Int) -> Panel<V> {
    guard let product, hidden < product.hiddenLayers else { return ones.rows(from: 0, count: rows) }
    let slopes = tape.slopes[product.operations[hidden]]
    return slopes.isEmpty ? ones.rows(from: 0, count: rows) : slopes
  }

  /// Leaves M d₁ in `traceProduct`.
  private func productDivergence(_ tape: FieldTape<V>, into result: Panel<V>) {
    traceProduct.fill(V(0))
    multiply(weights.traceMatrix, productSlopes(0, tape, rows: weights.traceShape.columns), addingTo: traceProduct)
    let second = productSlopes(1, tape, rows: traceProduct.rows)
    for row in 0..<traceProduct.rows {
      for group in 0..<groups {
        result[0, group] = result[0, group] + second[row, group] * traceProduct[row, group]
      }
    }
  }

  /// With τ the cotangent of the trace: d̄₂ = τ M d₁, d̄₁ = Mᵀ(τ d₂), M̄ += (τ d₂) d₁ᵀ.
  private func reverseProductDivergence(
    _ tape: FieldTape<V>, weight: Panel<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>
  ) {
    guard let product else { return }
    let first = productSlopes(0, tape, rows: weights.traceShape.columns)
    let second = productSlopes(1, tape, rows: traceProduct.rows)
    if product.hiddenLayers == 2 {
      let curvatureTerms = bars.curvatureTerms[product.operations[1]]
      let curvatures = tape.curvatures[product.operations[1]]
      for row in 0..<curvatureTerms.rows {
        for group in 0..<groups {
          curvatureTerms[row, group] = curvatures[row, group] * weight[0, group] * traceProduct[row, group]
        }
      }
    }
    let weighted = bars.scratch.rows(from: 0, count: second.rows)
    for row in 0..<second.rows {
      for group in 0..<groups { weighted[row, group] = weight[0, group] * second[row, group] }
    }
    addOuterProduct(weighted, first, to: sums.traceMatrix, bars)
    if product.hiddenLayers >= 1 {
      let curvatureTerms = bars.curvatureTerms[product.operations[0]]
      if curvatureTerms.isEmpty { return }
      multiply(weights.traceMatrixTransposed, weighted, addingTo: curvatureTerms)
      let curvatures = tape.curvatures[product.operations[0]]
      for index in 0..<curvatureTerms.count { curvatureTerms[index] = curvatureTerms[index] * curvatures[index] }
    }
  }
}
