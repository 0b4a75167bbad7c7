import Benchmark
import ContinuousFlows

/// A training step and a solve by each backend, and what it costs to begin: 2-64-64-64-2, tanh, dopri5 within 1e-5.
func addSolverBenchmarks() {
  for backend in Backend.allCases {
    let name = backend == .c ? "C" : "PureSwift"
    Benchmark("Training step, batch 512, \(name)") { (benchmark, step: Step) in
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try step.gradient()) }
    } setup: {
      try Step(backend, count: 512)
    }
    Benchmark("Solve with divergence, batch 512, \(name)") { (benchmark, step: Step) in
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try step.solve()) }
    } setup: {
      try Step(backend, count: 512)
    }
    Benchmark("Time to first gradient, 1 sample, \(name)") { benchmark in
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try Step(backend, count: 1, isChecked: false).gradient()) }
    }
  }
}

/// One training step, whose gradient was found to be near that in double.
private struct Step {
  private let solver: any FieldSolver<Float>
  private let problem: SolveProblem<Float>
  private let loss: Loss<Float>

  init(_ backend: Backend, count: Int, isChecked: Bool = true) throws {
    let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [64, 64, 64], activation: .tanh)
    let options = SolverOptions(trace: .hutchinson)
    let parameters = InitialParameters.uniform(for: program, seed: 0)
    let states: [Float] = try KernelRandom.normal(
      source: RandomSource(seed: 0, stream: .data), count: count, dimension: 2)
    solver = try makeSolver(program: program, options: options, backend: backend)
    problem = SolveProblem(parameters: parameters, states: states, from: 1, to: 0)
    loss = .standardNormalNegativeLogLikelihood(scale: 1 / Double(count))
    guard isChecked else { return }
    let exact = try KernelSolver<Double>(program: program, options: options).gradient(
      of: .standardNormalNegativeLogLikelihood(scale: 1 / Double(count)),
      at: SolveProblem(parameters: parameters.map(Double.init), states: states.map(Double.init), from: 1, to: 0))
    let found = try gradient()
    let norm = exact.parameters.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let error = zip(found.parameters, exact.parameters).reduce(0) {
      $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
    }.squareRoot()
    // Adaptive steps differ by the tolerance of 1e-5 each: ten steps, and ten times that for growth.
    precondition(error < 1e-3 * norm, "the gradient by \(backend) is wrong by \(error / norm)")
  }

  func gradient() throws -> Gradient<Float> { try solver.gradient(of: loss, at: problem) }
  func solve() throws -> Solution<Float> { try solver.solve(problem) }
}
