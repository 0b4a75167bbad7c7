import NeuralODE

/// The loss of a gradient check as a function of its inputs, with the steps fixed to those that the solver takes at one
/// of them.
struct FrozenSteps {
  let trace: Trace
  private let call: GradientCall
  private let solver: any FieldSolver<Double>
  /// The ends of each sample's steps; nil means equal steps.
  private let fractions: [[Double]?]

  init(_ call: GradientCall, at point: GradientPoint) throws {
    self.call = call
    let count = point.states.count / call.program.stateDimension
    var options = call.options
    if case .fixed = options.control {
      fractions = Array(repeating: nil, count: count)
    } else {
      let (found, trace) = try call.stepFractions(at: point)
      fractions = found
      options.trace = trace
      options.control = .fixed(steps: found.map(\.count).max() ?? 1)
    }
    options.threads = 1  // samples go one by one
    solver = try makeSolver(program: call.program, options: options, backend: call.backend)
    trace = solver.resolvedTrace
  }

  func gradient(at point: GradientPoint) throws -> GradientPoint {
    let (dimension, columns) = (call.program.stateDimension, call.program.contextDimension)
    let (loss, added) = call.loss(ofMeanOver: fractions.count)
    var sum = point.zero()
    for index in fractions.indices {
      let gradient = try solver.gradient(of: loss, regularisation: added, at: problem(point, index))
      try SolveFailure.check(gradient.solution)
      for (number, value) in gradient.parameters.enumerated() { sum.parameters[number] += value }
      sum.states.replaceSubrange(index * dimension..<(index + 1) * dimension, with: gradient.states)
      sum.context.replaceSubrange(index * columns..<(index + 1) * columns, with: gradient.context)
      sum.startTime += gradient.startTimes[0]
      sum.endTime += gradient.endTimes[0]
    }
    return sum
  }

  /// (8 (L(h) − L(−h)) − (L(2h) − L(−2h))) / 12h.
  func derivative(at point: GradientPoint, along direction: GradientPoint) throws -> Double {
    let h = 1e-3
    func difference(_ distance: Double) throws -> Double {
      try value(at: point.moved(distance, along: direction)) - value(at: point.moved(-distance, along: direction))
    }
    return (8 * (try difference(h)) - (try difference(2 * h))) / (12 * h)
  }

  private func value(at point: GradientPoint) throws -> Double {
    var sum = 0.0
    for index in fractions.indices {
      let solution = try solver.solve(problem(point, index))
      try SolveFailure.check(solution)
      let kinetic = solution.kineticEnergies.first ?? 0
      let frobenius = solution.frobeniusNorms.first ?? 0
      sum +=
        (call.regularisation.kineticEnergy * kinetic + call.regularisation.frobeniusNorm * frobenius
          - call.base.logDensity(solution.states) - solution.logDeterminants[0]) / Double(fractions.count)
    }
    return sum
  }

  private func problem(_ point: GradientPoint, _ sample: Int) -> SolveProblem<Double> {
    call.problem(point, sample..<sample + 1, fractions: fractions[sample])
  }
}
