import FieldPrograms

// Products, norms, dropout, scales and sums. With w the cotangent of a tangent ẏ, what w · ẏ adds to the operands' own
// cotangents is left in `held` until the value is reversed, as with callbacks:
//   y = a b:  ẏ = ȧ b + a ḃ;  ǡ = w b, ḃ̄ = w a, ā += w ḃ, b̄ += w ȧ.
//   y = g n + b, n = r (x − mean x), r = 1/√(mean (x − mean x)² + ε): the derivative of n by x is the symmetric
//     D v = r (v − mean v − n mean(n v));  ẏ = g D ẋ, x̄ = D(g ȳ), ẋ̄ = D(g w), and with u = g w, v = ẋ, from
//     dr = −r² mean(n dx) and dn = D dx,  x̄ += −r (mean(n u) D v + mean(n v) D u + mean(u D v) n), ḡ += w D v.

extension FieldEvaluator {
  // MARK: Products

  /// `output += a ∘ b`, where b has as many rows as a, or one.
  private func addProduct(_ a: Panel<V>, _ b: Panel<V>, to output: Panel<V>) {
    for row in 0..<a.rows {
      let other = b.rows == a.rows ? row : 0
      for group in 0..<groups { output[row, group] = output[row, group] + a[row, group] * b[other, group] }
    }
  }

  /// Its transpose: adds b's part of c, whose rows are those of a.
  private func addProductBack(_ a: Panel<V>, _ c: Panel<V>, to output: Panel<V>) {
    for row in 0..<a.rows {
      let other = output.rows == a.rows ? row : 0
      for group in 0..<groups { output[other, group] = output[other, group] + a[row, group] * c[row, group] }
    }
  }

  func multiplyValue(_ step: FieldPlan.Step, _ blocks: [Panel<V>], _ output: Panel<V>) {
    output.fill(V(0))
    addProduct(blocks[step.first], blocks[step.second], to: output)
  }

  func multiplyTangent(_ step: FieldPlan.Step, _ tape: FieldTape<V>, _ output: Panel<V>) {
    output.fill(V(0))
    addProduct(panels.tangents[step.first], tape.values[step.second], to: output)
    addProduct(tape.values[step.first], panels.tangents[step.second], to: output)
  }

  func reverseMultiplyTangent(_ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>) {
    let step = plan.steps[number]
    let output = bars.tangents[number + 1]
    addProduct(output, panels.tangents[step.second], to: bars.couplings[number].first)
    addProductBack(output, panels.tangents[step.first], to: bars.couplings[number].second)
    if plan.carriesTangentCotangent[step.first] {
      addProduct(output, tape.values[step.second], to: bars.tangents[step.first])
    }
    if plan.carriesTangentCotangent[step.second] {
      addProductBack(output, tape.values[step.first], to: bars.tangents[step.second])
    }
  }

  func reverseMultiplyValue(_ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>, hasCurvatureTerms: Bool) {
    let step = plan.steps[number]
    let output = bars.values[number + 1]
    addProduct(output, tape.values[step.second], to: bars.values[step.first])
    addProductBack(output, tape.values[step.first], to: bars.values[step.second])
    guard hasCurvatureTerms else { return }
    bars.values[step.first].add(bars.couplings[number].first)
    bars.values[step.second].add(bars.couplings[number].second)
  }

  // MARK: Dropout

  /// `output += mask ∘ input`.
  func addDropped(_ number: Int, _ input: Panel<V>, to output: Panel<V>) {
    addProduct(input, masks.rows(from: plan.steps[number].offset, count: input.rows), to: output)
  }

  /// `output += factor · input`.
  func addScaled(_ number: Int, _ input: Panel<V>, to output: Panel<V>) {
    let factor = V(plan.steps[number].factor)
    for index in 0..<output.count { output[index] = output[index] + factor * input[index] }
  }

  // MARK: Sums

  /// `output += Σ rows of input`, one row.
  func addRows(_ input: Panel<V>, to output: Panel<V>) {
    for row in 0..<input.rows {
      for group in 0..<groups { output[0, group] = output[0, group] + input[row, group] }
    }
  }

  /// Its transpose: adds the single row of `row` to every row of `output`.
  func addSpread(_ row: Panel<V>, to output: Panel<V>) {
    for place in 0..<output.rows {
      for group in 0..<groups { output[place, group] = output[place, group] + row[0, group] }
    }
  }

  // MARK: Norms

  /// Leaves n and r on the tape.
  func normValue(_ number: Int, _ tape: FieldTape<V>, _ output: Panel<V>) {
    let layout = plan.norms[plan.steps[number].layer]
    let input = tape.values[plan.steps[number].first]
    let (normalised, inverse) = tape.norms[number]
    let (gain, bias) = (weights.gain(layout), weights.normBias(layout))
    let share = V(1 / Double(layout.rows))
    for group in 0..<groups {
      var mean = V(0)
      for row in 0..<layout.rows { mean = mean + input[row, group] }
      mean = mean * share
      var variance = V(0)
      for row in 0..<layout.rows {
        let centred = input[row, group] - mean
        normalised[row, group] = centred
        variance = variance + centred * centred
      }
      let scale = V(1) / (variance * share + V(layout.epsilon)).squareRoot()
      inverse[0, group] = scale
      for row in 0..<layout.rows {
        normalised[row, group] = normalised[row, group] * scale
        output[row, group] = gain[row, 0] * normalised[row, group] + V(repeating: bias[row, 0])
      }
    }
  }

  /// `output = D v`.
  private func normDerivative(_ number: Int, _ tape: FieldTape<V>, _ v: Panel<V>, into output: Panel<V>) {
    let (normalised, inverse) = tape.norms[number]
    let share = V(1 / Double(v.rows))
    for group in 0..<groups {
      var mean = V(0)
      var along = V(0)
      for row in 0..<v.rows {
        mean = mean + v[row, group]
        along = along + normalised[row, group] * v[row, group]
      }
      mean = mean * share
      along = along * share
      for row in 0..<v.rows {
        output[row, group] = inverse[0, group] * (v[row, group] - mean - normalised[row, group] * along)
      }
    }
  }

  private func scaleByGain(_ number: Int, _ input: Panel<V>, into output: Panel<V>) {
    let gain = weights.gain(plan.norms[plan.steps[number].layer])
    for row in 0..<input.rows {
      for group in 0..<groups { output[row, group] = gain[row, 0] * input[row, group] }
    }
  }

  func normTangent(_ number: Int, _ tape: FieldTape<V>, _ output: Panel<V>) {
    let room = panels.room.rows(from: 0, count: output.rows)
    normDerivative(number, tape, panels.tangents[plan.steps[number].first], into: room)
    scaleByGain(number, room, into: output)
  }

  func reverseNormTangent(
    _ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>
  ) {
    let step = plan.steps[number]
    let output = bars.tangents[number + 1]
    let tangent = panels.tangents[step.first]
    let (normalised, inverse) = tape.norms[number]
    let rows = output.rows
    let scaled = bars.scratch.rows(from: 0, count: rows)
    let ofTangent = panels.room.rows(from: 0, count: rows)
    let ofScaled = panels.room.rows(from: rows, count: rows)
    normDerivative(number, tape, tangent, into: ofTangent)
    addProductSums(output, ofTangent, to: sums.gain(step.layer))
    scaleByGain(number, output, into: scaled)
    normDerivative(number, tape, scaled, into: ofScaled)
    let share = V(1 / Double(rows))
    let held = bars.couplings[number].first
    for group in 0..<groups {
      var first = V(0)
      var second = V(0)
      var third = V(0)
      for row in 0..<rows {
        first = first + normalised[row, group] * scaled[row, group]
        second = second + normalised[row, group] * tangent[row, group]
        third = third + scaled[row, group] * ofTangent[row, group]
      }
      let factor = inverse[0, group] * share
      for row in 0..<rows {
        let sum = first * ofTangent[row, group] + second * ofScaled[row, group] + third * normalised[row, group]
        held[row, group] = held[row, group] - factor * sum
      }
    }
    if plan.carriesTangentCotangent[step.first] { bars.tangents[step.first].add(ofScaled) }
  }

  func reverseNormValue(
    _ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>, hasCurvatureTerms: Bool
  ) {
    let step = plan.steps[number]
    let output = bars.values[number + 1]
    let scaled = bars.scratch.rows(from: 0, count: output.rows)
    let back = panels.room.rows(from: 0, count: output.rows)
    addProductSums(output, tape.norms[number].normalised, to: sums.gain(step.layer))
    addLaneSums(output, to: sums.normBias(step.layer))
    scaleByGain(number, output, into: scaled)
    normDerivative(number, tape, scaled, into: back)
    bars.values[step.first].add(back)
    if hasCurvatureTerms { bars.values[step.first].add(bars.couplings[number].first) }
  }

  /// Sums over lanes of a ∘ b, one sum for each place within a vector.
  private func addProductSums(_ a: Panel<V>, _ b: Panel<V>, to sums: Panel<V>) {
    for row in 0..<a.rows {
      var sum = sums[row, 0]
      for group in 0..<groups { sum = sum + a[row, group] * b[row, group] }
      sums[row, 0] = sum
    }
  }
}
