import ContinuousFlows
import Foundation

/// Uses one net as n residual blocks with shared weights, and as the field of an ODE. Prints how far apart the two
/// outputs are, for growing n.
func residualNetwork() throws {
  let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [32, 32], activation: .tanh)
  let parameters = InitialParameters.uniform(for: program, seed: 0).map { 3 * Double($0) }
  let inputs = SampleMatrix(count: 4, dimension: 2, values: [1, 0, 0, 1, -1, 0.5, 0.5, -2]).values

  let exact = try NeuralODELayer(
    program: program, parameters: parameters,
    options: SolverOptions(method: "dopri8", control: .perSample(rtol: 1e-12, atol: 1e-12), trace: .none)
  ).forward(inputs).states

  print("| blocks n | largest difference from the solution | times n |")
  print("|---:|---:|---:|")
  var errors: [Double] = []
  for power in 0...10 {
    let count = 1 << power
    let outputs = try ResidualNetwork(program: program, parameters: parameters, steps: count)(inputs)
    let error = zip(outputs, exact).reduce(0) { max($0, abs($1.0 - $1.1)) }
    errors.append(error)
    print("| \(count) | \(rounded(error, digits: 6)) | \(rounded(error * Double(count), digits: 4)) |")
  }
  let slope = log2(errors[errors.count - 1] / errors[errors.count - 2])
  print("the difference falls as n to the power \(rounded(slope, digits: 4))")
}

private func rounded(_ value: Double, digits: Int) -> Double {
  let scale = (0..<digits).reduce(1.0) { scale, _ in 10 * scale }
  return (value * scale).rounded() / scale
}
