import NeuralODE
import Testing

/// Tests encoder, equation and head together: gradients of every parameter are compared with central differences and
/// closed forms.
@Suite struct NeuralODENetworkTests {
  private static let steps = SolverOptions(method: "rk4", control: .fixed(steps: 4), trace: .none)

  enum Shape: String, CaseIterable {
    case plain, augmented, layered, backward, closure

    var architecture: NeuralODEArchitecture {
      switch self {
      case .plain: Self.make(encoder: [], zeros: 0, head: [4], times: (0, 1))
      case .augmented: Self.make(encoder: [], zeros: 2, head: [4], times: (0.5, 1.25))
      case .layered: Self.make(encoder: [6, 4], zeros: 1, head: [5, 4], times: (0, 1))
      case .backward: Self.make(encoder: [4], zeros: 0, head: [4], times: (1, -0.5))
      case .closure:
        NeuralODEArchitecture(
          encoder: DenseNetwork(inputDimension: 3, widths: [2], activation: .tanh), augmentedDimensions: 1,
          program: Fixtures.cubic, head: DenseNetwork(inputDimension: 3, widths: [4], activation: .tanh))
      }
    }

    private static func make(
      encoder: [Int], zeros: Int, head: [Int], times: (Double, Double)
    ) -> NeuralODEArchitecture {
      let encoder = DenseNetwork(inputDimension: 3, widths: encoder, activation: .tanh)
      let state = encoder.outputDimension + zeros
      return NeuralODEArchitecture(
        encoder: encoder, augmentedDimensions: zeros,
        program: .multilayerPerceptron(stateDimension: state, hidden: [5], activation: .softplus), from: times.0,
        to: times.1, head: DenseNetwork(inputDimension: state, widths: head, activation: .softplus))
    }
  }

  private static func parameters<Scalar: FlowScalar>(_ architecture: NeuralODEArchitecture) -> [Scalar] {
    Fixtures.normals(architecture.parameterCount, seed: 21, scale: 0.5)
  }

  /// Five samples of three numbers, with four classes or targets.
  private static let inputs: [Double] = Fixtures.normals(5 * 3, seed: 22)
  private static let losses: [(String, OutputLoss<Double>)] = [
    ("cross-entropy", .crossEntropy(labels: [0, 3, 1, 2, 3], scale: 0.2)),
    ("squared error", .squaredError(targets: Fixtures.normals(5 * 4, seed: 23), scale: 0.2)),
    (
      "closure",
      .function { sample, outputs in
        (outputs.reduce(0) { $0 + $1 * $1 * $1 } * Double(sample + 1), outputs.map { 3 * $0 * $0 * Double(sample + 1) })
      }
    ),
  ]

  @Test(arguments: Shape.allCases, Backend.allCases)
  func gradientsAreCentralDifferences(shape: Shape, backend: Backend) throws {
    let architecture = shape.architecture
    let network = try NeuralODENetwork<Double>(architecture, options: Self.steps, backend: backend)
    let parameters: [Double] = Self.parameters(architecture)
    for (name, loss) in Self.losses {
      func value(_ parameters: [Double], _ inputs: [Double]) throws -> Double {
        try network.gradient(of: loss, at: inputs, parameters: parameters).losses.reduce(0, +)
      }
      let gradient = try network.gradient(of: loss, at: Self.inputs, parameters: parameters)
      let byParameters = try Fixtures.differences(at: parameters) { try value($0, Self.inputs) }
      for (part, range) in [
        ("encoder", architecture.encoderRange), ("field", architecture.fieldRange), ("head", architecture.headRange),
      ] {
        let error = Fixtures.error(Array(gradient.parameters[range]), Array(byParameters[range]))
        #expect(error < Fixtures.differenceTolerance, "\(shape), \(name): \(part) \(error)")
      }
      let byInputs = try Fixtures.differences(at: Self.inputs) { try value(parameters, $0) }
      let error = Fixtures.error(gradient.inputs, byInputs)
      #expect(error < Fixtures.differenceTolerance, "\(shape), \(name): inputs \(error)")
    }
  }

  @Test(arguments: Backend.allCases)
  func timesHaveGradientsToo(backend: Backend) throws {
    let base = Shape.augmented.architecture
    let parameters: [Double] = Self.parameters(base)
    let loss = Self.losses[0].1
    func gradient(_ times: [Double]) throws -> NeuralODENetwork<Double>.Gradient {
      let architecture = NeuralODEArchitecture(
        encoder: base.encoder, augmentedDimensions: base.augmentedDimensions, program: base.program, from: times[0],
        to: times[1], head: base.head)
      return try NeuralODENetwork<Double>(architecture, options: Self.steps, backend: backend)
        .gradient(of: loss, at: Self.inputs, parameters: parameters)
    }
    let found = try gradient([0.5, 1.25])
    let expected = try Fixtures.differences(at: [0.5, 1.25]) { try gradient($0).losses.reduce(0, +) }
    #expect(
      Fixtures.error([found.startTimes.reduce(0, +), found.endTimes.reduce(0, +)], expected)
        < Fixtures.differenceTolerance)
  }

  /// With a field of zeros the equation is the identity, and what remains is a softmax or linear regression. The
  /// gradient of softmax regression is Σ (p − e) xᵀ and Σ (p − e); that of least squares has 2 (Wx + b − y) xᵀ / (count
  /// · outputs).
  @Test(arguments: Backend.allCases)
  func withoutAFieldItIsSoftmaxRegression(backend: Backend) throws {
    let architecture = Shape.plain.architecture
    var parameters: [Double] = Self.parameters(architecture)
    for index in architecture.fieldRange { parameters[index] = 0 }
    let network = try NeuralODENetwork<Double>(architecture, options: Self.steps, backend: backend)
    let head = Array(parameters[architecture.headRange])
    let labels = [0, 3, 1, 2, 3]
    let targets: [Double] = Fixtures.normals(5 * 4, seed: 23)
    var (entropy, squares) = (0.0, 0.0)
    var bars = [[Double]](repeating: Array(repeating: 0, count: 4 * 4), count: 2)
    for sample in 0..<5 {
      let x = Array(Self.inputs[sample * 3..<(sample + 1) * 3])
      let y: [Double] = (0..<4).map { row in
        var sum = head[12 + row]
        for column in 0..<3 { sum += head[row * 3 + column] * x[column] }
        return sum
      }
      let sum: Double = y.map { Angles.exponential($0) }.reduce(0, +)
      entropy -= 0.2 * (y[labels[sample]] - Angles.logarithm(sum))
      for row in 0..<4 {
        let difference = y[row] - targets[sample * 4 + row]
        squares += 0.2 / 4 * difference * difference
        let probability: Double = Angles.exponential(y[row]) / sum
        let own: Double = row == labels[sample] ? 1 : 0
        let cotangents: [Double] = [0.2 * (probability - own), 0.2 / 4 * 2 * difference]
        for (kind, cotangent) in cotangents.enumerated() {
          for column in 0..<3 { bars[kind][row * 3 + column] += cotangent * x[column] }
          bars[kind][12 + row] += cotangent
        }
      }
    }
    // The bound covers about twenty roundings of numbers below 10.
    let bound = 200 * Double.ulpOfOne
    let expected = [entropy, squares]
    for kind in 0..<2 {
      let gradient = try network.gradient(of: Self.losses[kind].1, at: Self.inputs, parameters: parameters)
      let error = Fixtures.error(Array(gradient.parameters[architecture.headRange]), bars[kind])
      #expect(error < bound, "\(Self.losses[kind].0): \(error)")
      #expect(abs(gradient.losses.reduce(0, +) - expected[kind]) < bound * max(1, expected[kind]))
    }
  }

  /// With adaptive steps in Float, a sample has the same bits alone, at any place in a batch and on any number of
  /// threads.
  @Test(arguments: Backend.allCases)
  func aSampleIsItsOwnAndThreadsDoNotMatter(backend: Backend) throws {
    let architecture = Shape.layered.architecture
    let parameters: [Float] = Self.parameters(architecture)
    let inputs: [Float] = Fixtures.normals(100 * 3, seed: 24)
    let labels = (0..<100).map { $0 % 4 }
    func network(_ threads: Int) throws -> NeuralODENetwork<Float> {
      try NeuralODENetwork(architecture, options: SolverOptions(trace: .none, threads: threads), backend: backend)
    }
    let loss = OutputLoss<Float>.crossEntropy(labels: labels, scale: 0.01)
    let one = try network(1).gradient(of: loss, at: inputs, parameters: parameters)
    let three = try network(3).gradient(of: loss, at: inputs, parameters: parameters)
    #expect(one.parameters == three.parameters && one.inputs == three.inputs && one.losses == three.losses)
    let outputs = try network(2).outputs(of: inputs, parameters: parameters).values
    let alone = try network(1).outputs(of: Array(inputs[90..<93]), parameters: parameters).values
    #expect(alone == Array(outputs[120..<124]))
    let gradientAlone = try network(1).gradient(
      of: .crossEntropy(labels: [labels[30]], scale: 0.01), at: Array(inputs[90..<93]), parameters: parameters)
    #expect(gradientAlone.inputs == Array(one.inputs[90..<93]) && gradientAlone.losses[0] == one.losses[30])
  }

  /// A sample whose solve fails has the output NaN, and adds nothing to any gradient.
  @Test(arguments: Backend.allCases)
  func aFailedSampleIsAloneWithIt(backend: Backend) throws {
    var program = FieldProgram(stateDimension: 1)
    program.append(.multiply(.state, .state))
    let architecture = NeuralODEArchitecture(
      encoder: .identity(dimension: 1), program: program, to: 2,
      head: DenseNetwork(inputDimension: 1, widths: [2]))
    let network = try NeuralODENetwork<Float>(architecture, backend: backend)
    let parameters: [Float] = [1, -1, 0.5, 0]
    let found = try network.outputs(of: [0.1, 3], parameters: parameters)
    #expect(found.solution.statuses[0] == .ok && found.solution.statuses[1] != .ok)
    #expect(found.values[2].isNaN && found.values[3].isNaN)
    let alone = try network.gradient(of: .crossEntropy(labels: [1], scale: 1), at: [0.1], parameters: parameters)
    let both = try network.gradient(of: .crossEntropy(labels: [1, 0], scale: 1), at: [0.1, 3], parameters: parameters)
    #expect(both.parameters == alone.parameters && both.inputs[0] == alone.inputs[0] && both.inputs[1] == 0)
    #expect(both.losses[0] == alone.losses[0] && both.losses[1].isNaN)
  }

  @Test func softmaxDoesNotOverflow() {
    let found = Softmax.logProbabilities([1000, 0, -1000 as Float])
    #expect(found == [0, -1000, -2000])
  }
}
