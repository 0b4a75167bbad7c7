import ContinuousFlows

/// Teaches a linear field a quarter turn by gradient descent: the layer's pullback is all that a training loop of one's own
/// needs. The field could as well be a closure (`FieldCallback`).
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
    "the field's matrix, of which a quarter turn in unit time has ∓π/2 beside its diagonal: \(layer.parameters[..<4])")
}
