import FieldPrograms

/// The cotangents of a sample at its end, except that of the state.
struct EndCotangents {
  /// μ = ∂L/∂(log-determinant).
  var logDeterminant = 0.0
  /// The cotangents of the regularisers' integrals over |dt|, with the sign of dt.
  var kineticEnergy = 0.0
  var frobeniusNorm = 0.0
}

extension SolveJob {
  /// Takes a solved sample's cotangents from the loss: ∂L/∂x(t1) goes to its lane of `stateBar`, its loss to the job's
  /// array.
  func loadCotangents<V: LaneVector>(
    of sample: Int, into stateBar: Panel<V>, lane: Int
  ) -> EndCotangents where V.Scalar == Scalar {
    let dimension = plan.stateDimension
    var scale = 1.0
    var bars = EndCotangents()
    switch loss {
    case nil: break
    case .cotangents(let states, let logDeterminants, _, _, _):
      bars.logDeterminant = logDeterminants[sample]
      for row in 0..<dimension { stateBar[row, lane: lane] = states[sample * dimension + row] }
    case .standardNormalNegativeLogLikelihood(let given):
      scale = given
      // −(log N(x; 0, I) + ℓ) = ½|x|² + ½ D log 2π − ℓ.
      var squares = 0.0
      for row in 0..<dimension {
        let value = Double(states[sample * dimension + row])
        squares += value * value
        stateBar[row, lane: lane] = Scalar(scale * value)
      }
      bars.logDeterminant = -scale
      let logTwoPi = 1.8378770664093454836
      losses[sample] = scale * (0.5 * squares + 0.5 * Double(dimension) * logTwoPi - logDeterminants[sample])
    case .function(let function):
      let arrival = SolvedSamples<Scalar>(
        first: sample, states: (0..<dimension).map { states[sample * dimension + $0] },
        logDeterminants: [logDeterminants[sample]], statuses: [.ok])
      let cotangents = function(arrival)
      cotangents.checkShapes(of: arrival)
      bars.logDeterminant = cotangents.logDeterminants[0]
      for row in 0..<dimension { stateBar[row, lane: lane] = cotangents.states[row] }
      losses[sample] = cotangents.losses[0]
    }
    if regularisation.kineticEnergy != 0 {
      bars.kineticEnergy = direction(of: sample) * scale * regularisation.kineticEnergy
      losses[sample] += scale * regularisation.kineticEnergy * kineticEnergies[sample]
    }
    if regularisation.frobeniusNorm != 0 {
      bars.frobeniusNorm = direction(of: sample) * scale * regularisation.frobeniusNorm
      losses[sample] += scale * regularisation.frobeniusNorm * frobeniusNorms[sample]
    }
    return bars
  }

  /// Adds the loss's cotangent at output time `number` to the sample's lane of `stateBar`; returns the addition to μ.
  func addCotangents<V: LaneVector>(
    of sample: Int, atTime number: Int, to stateBar: Panel<V>, lane: Int
  ) -> Double where V.Scalar == Scalar {
    guard case .cotangents(_, _, let states, let logDeterminants, _) = loss else { return 0 }
    let place = sample * timeCount + number
    if !states.isEmpty {
      for row in 0..<stateBar.rows { stateBar[row, lane: lane] += states[place * stateBar.rows + row] }
    }
    return logDeterminants.isEmpty || resolution.trace == .none ? 0 : logDeterminants[place]
  }
}
