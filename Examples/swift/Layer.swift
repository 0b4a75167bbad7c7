import ContinuousFlows

/// Trains a linear field to make a quarter turn, by gradient descent. A training loop of your own needs only the
/// layer's forward and backward pass. The field can also be a closure (`FieldCallback`).
func layer() throws {
  var program = FieldProgram(stateDimension: 2)
  program.append(.linear(input: .state, rows: 2, activation: .identity))
  var layer = try NeuralODELayer<Double>(program: program, parameters: Array(repeating: 0, count: 6))

  let source = RandomSource(seed: 0, stream: .data)
  let count = 64
  let states = (0..<2 * count).map { source.normal(sample: UInt64($0 / 2), dimension: $0 % 2) }
  // (x, y) to (−y, x).
  let targets = states.indices.map { $0 % 2 == 0 ? -states[$0 + 1] : states[$0 - 1] }

  var loss = 0.0
  for _ in 0..<200 {
    let pass = try layer.forward(states)
    let cotangents = zip(pass.states, targets).map { ($0 - $1) / Double(count) }
    loss = cotangents.reduce(0) { $0 + $1 * $1 } * Double(count) / 2
    let gradient = try pass.backward(cotangents).parameters
    for index in gradient.indices { layer.parameters[index] -= 0.3 * gradient[index] }
  }
  print("loss after 200 steps: \(loss)")
  print(
    "the field's matrix (a quarter turn in unit time has 0, −π/2, π/2, 0): \(layer.parameters[..<4])")
}
