import ContinuousFlows
import Foundation

/// The probability flow of a variance-preserving model in the time s of Song et al. 2021, with the same net. The
/// library does not use this form; this measures its cost.
///
/// The net reads t = ρ(1) − ρ(s), and `dx/ds = −(dρ/ds) u(x, t)` with dρ/ds = ½ β m/σ. These are two functions of the
/// time that no operation gives, so a host callback computes them.
struct PaperTimeFlow {
  private let model: DiffusionModel
  private let program: FieldProgram

  init(of model: DiffusionModel, hidden: [Int]) {
    self.model = model
    let process = model.process
    let start = atan2(process.deviation(at: 1), process.meanFactor(at: 1))
    let rows = FieldCallback(
      name: "coefficients",
      float: .init(
        evaluate: { lanes, _, s, _, y in
          for lane in 0..<lanes {
            let s = Double(s[lane])
            let (mean, deviation) = (process.meanFactor(at: s), process.deviation(at: s))
            y[lane] = Float(start - atan2(deviation, mean))
            y[lanes + lane] = Float(process.drift(at: s) * mean / deviation)
          }
        },
        // The input is never a state, so all tangents are 0.
        tangent: { lanes, _, _, _, _, yDot in for index in 0..<2 * lanes { yDot[index] = 0 } }))
    var program = FieldProgram(stateDimension: model.dimension)
    let coefficients = program.append(.callback(input: program.append(.time), rows: 2, rows))
    let time = program.append(.slice(input: coefficients, first: 0, rows: 1))
    var block = program.append(.concatenate(.state, time))
    for width in hidden { block = program.append(.linear(input: block, rows: width, activation: .silu)) }
    block = program.append(.linear(input: block, rows: model.dimension, activation: .identity))
    program.append(.multiply(block, program.append(.slice(input: coefficients, first: 1, rows: 1))))
    precondition(program.parameterCount == model.program.parameterCount, "another net")
    self.program = program
  }

  /// One line: evaluations and time of log-densities in both times, and their difference.
  func comparison(on samples: SampleMatrix) throws -> String {
    let flow = model.probabilityFlow
    let states = model.transform.forward(samples.values)
    let options = SolverOptions(threads: 1)
    let ours = try measure(flow.program, states, from: flow.endTime, to: 0, options)
    let paper = try measure(program, states, from: DiffusionProcess.cutoff, to: 1, options)
    func densities(_ solution: Solution<Float>) -> [Double] {
      (0..<samples.count).map {
        flow.base.logDensity(solution.states[2 * $0..<2 * $0 + 2]) + solution.logDeterminants[$0]
      }
    }
    let apart = zip(densities(ours.solution), densities(paper.solution)).map { abs($0 - $1) }.sorted()[
      samples.count / 2]
    func mean(_ solution: Solution<Float>) -> Double {
      Double(solution.evaluations.reduce(0, +)) / Double(samples.count)
    }
    return "Log-densities of \(samples.count) samples, dopri5 at 1e-5, exact trace, one thread: in the angle "
      + "\(decimal(mean(ours.solution), 0)) evaluations of a sample and \(decimal(ours.seconds, 3)) s, in the paper's time "
      + "\(decimal(mean(paper.solution), 0)) and \(decimal(paper.seconds, 3)) s; median difference \(decimal(apart, 5)) nats."
  }

  /// The fastest of five.
  private func measure(
    _ program: FieldProgram, _ states: [Float], from start: Double, to end: Double, _ options: SolverOptions
  ) throws -> (solution: Solution<Float>, seconds: Double) {
    let solver = try makeSolver(program: program, options: options, scalar: Float.self)
    let problem = SolveProblem(parameters: model.parameters, states: states, from: start, to: end)
    var (solution, seconds) = (try solver.solve(problem), Double.infinity)
    for _ in 0..<5 {
      let begin = TrainingClock.processor.seconds()
      solution = try solver.solve(problem)
      seconds = min(seconds, TrainingClock.processor.seconds() - begin)
    }
    try SolveFailure.check(solution)
    return (solution, seconds)
  }
}
