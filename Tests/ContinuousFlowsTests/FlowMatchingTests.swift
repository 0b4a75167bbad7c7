import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct AssignmentTests {
  /// Compares with every assignment of up to seven rows.
  private static func permutations(_ count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(count - 1).flatMap { short in
      (0..<count).map { place in Array(short[..<place]) + [count - 1] + Array(short[place...]) }
    }
  }

  @Test func costsTheLeastOfAllPermutations() {
    let source = RandomSource(seed: 3, stream: .data)
    for count in 1...7 {
      let permutations = Self.permutations(count)
      for trial in 0..<20 {
        // Whole numbers, so that sums are exact and ties occur.
        let costs = (0..<count * count).map {
          (source.uniform(sample: UInt64(trial), dimension: $0) * 20 - 5).rounded()
        }
        func cost(_ columns: [Int]) -> Double { columns.enumerated().reduce(0) { $0 + costs[$1.0 * count + $1.1] } }
        let found = Assignment.ofLeastCost(costs, count: count)
        #expect(found.sorted() == Array(0..<count))
        #expect(cost(found) == permutations.map(cost).min(), "\(count) \(trial)")
      }
    }
  }

  /// On a line, the pairing of least squared distance keeps the order.
  @Test func sortsOnALine() {
    let count = 300
    let source = RandomSource(seed: 4, stream: .data)
    let points = (0..<2).map { side in
      StateMatrix(
        count: count, dimension: 1,
        values: (0..<count).map { Float(source.normal(sample: UInt64($0), dimension: side * 4)) })
    }
    let pairs = Assignment.ofLeastDistance(from: points[0], to: points[1])
    let order = (0..<count).sorted { points[0].values[$0] < points[0].values[$1] }
    let images = order.map { points[1].values[pairs[$0]] }
    #expect(images == images.sorted())
  }
}

@Suite struct FlowMatchingTests {
  static let paths: [ProbabilityPath] = [
    .linear(), .linear(deviation: 0.25), .trigonometric, .variancePreserving(), .stochasticInterpolant(),
  ]

  /// Compares slopes with central differences. Paths end at the data and begin at the base.
  @Test(arguments: paths)
  func pathsLeadFromTheBaseToTheData(path: ProbabilityPath) {
    let h = 1e-5
    for s in stride(from: 0.05, to: path.end - 0.05, by: 0.05) {
      let (above, below, here) = (
        path.coefficients(at: s + h), path.coefficients(at: s - h), path.coefficients(at: s)
      )
      for (slope, difference) in [
        (here.base.slope, above.base.value - below.base.value), (here.data.slope, above.data.value - below.data.value),
        (here.noise.slope, above.noise.value - below.noise.value),
      ] {
        #expect(abs(slope - difference / (2 * h)) < 1e-6 * max(1, abs(slope)), "\(path) at \(s)")
      }
    }
    let (start, end) = (path.coefficients(at: 0), path.coefficients(at: path.end))
    // With β = 20, e^(−5.025) of the data remains at the start. The cutoff of 1e-3 leaves about √1e-4 of the base at
    // the end.
    #expect(abs(start.base.value - 1) < 1e-4 && abs(start.data.value) < 0.01)
    #expect(abs(end.data.value - 1) < 1e-4 && abs(end.base.value) < 0.02)
  }

  /// The variance-preserving paths keep a² + b² = 1.
  @Test(arguments: [ProbabilityPath.trigonometric, .variancePreserving()])
  func variancePreservingPathsDo(path: ProbabilityPath) {
    for s in stride(from: 0.0, through: path.end, by: 0.1) {
      let (a, b, _) = path.coefficients(at: s)
      #expect(abs(a.value * a.value + b.value * b.value - 1) < 1e-14)
    }
  }

  /// Compares the objective's gradient with central differences of its own loss, which follows from the field's values.
  @Test(arguments: Backend.allCases)
  func theGradientIsThatOfTheLoss(backend: Backend) throws {
    let options = TrainingFixture.options(steps: 1, backend: backend)
    var flow = TrainingFixture.flow
    let objective = try FlowMatching(flow: flow, options: options)
    var batches = TrainingBatches(TrainingFixture.split.train, transform: flow.transform, size: 32, seed: 1)
    let batch = batches.batch(step: 3)
    let gradient = try objective.gradient(of: batch, model: flow)
    let h: Float = 1e-2
    for index in stride(from: 0, to: flow.parameters.count, by: 7) {
      let value = flow.parameters[index]
      flow.parameters[index] = value + h
      let above = try objective.gradient(of: batch, model: flow).loss
      flow.parameters[index] = value - h
      let below = try objective.gradient(of: batch, model: flow).loss
      flow.parameters[index] = value
      let difference = (above - below) / Double(2 * h)
      // The error is h² times a third derivative of about 10, plus the rounding of a float loss over h.
      #expect(
        abs(Double(gradient.parameters[index]) - difference) < 2e-3,
        "\(index): \(gradient.parameters[index]), \(difference)")
    }
  }

  /// With independent pairs, a sample's path does not depend on the batch. With optimal transport the base samples are
  /// the same in another order, and their total distance is smaller.
  @Test func pointsBelongToTheirSamples() throws {
    let flow = TrainingFixture.flow
    let options = TrainingFixture.options(steps: 1, backend: .c)
    var batches = TrainingBatches(TrainingFixture.split.train, transform: flow.transform, size: 40, seed: 1)
    let batch = batches.batch(step: 0)
    let independent = try FlowMatching(flow: flow, path: .stochasticInterpolant(), options: options)
    let whole = independent.pathSamples(on: batch, flow)
    let one = TrainingBatch(
      states: Array(batch.states[10..<12]), logDeterminants: [0], identifiers: [batch.identifiers[5]],
      rows: [batch.rows[5]], seed: batch.seed, step: batch.step)
    let alone = independent.pathSamples(on: one, flow)
    #expect(alone.states == Array(whole.states[10..<12]) && alone.rates == Array(whole.rates[10..<12]))
    #expect(alone.times == [whole.times[5]])

    // On the linear path, x − z is the rate of change times T.
    func distance(_ objective: FlowMatching) -> Double {
      objective.pathSamples(on: batch, flow).rates.reduce(0) { $0 + Double($1 * $1) }
    }
    let paired = try FlowMatching(flow: flow, coupling: .optimalTransport, options: options)
    #expect(distance(paired) < 0.8 * distance(try FlowMatching(flow: flow, options: options)))
  }

  /// The data are N(2, ½²) and the base is N(0, 1). For every path, the flow's NLL reaches the entropy of the data, up
  /// to sampling error.
  @Test(arguments: paths, FlowMatching.Coupling.allCases)
  func aGaussianIsLearned(path: ProbabilityPath, coupling: FlowMatching.Coupling) throws {
    let count = 2000
    let source = RandomSource(seed: 1, stream: .data)
    let points = SampleMatrix(
      count: count, dimension: 1,
      values: (0..<count).map { 2 + 0.5 * source.normal(sample: UInt64($0), dimension: 0) })
    let split = try Dataset(name: "normal", samples: points).split(.counts(validation: 200, test: 500))
    let flow = ContinuousFlow(
      dimension: 1, hidden: [32, 32], activation: .tanh, endTime: 1, seed: 0,
      transform: .standardising(split.train.samples))
    let options = TrainingOptions(
      steps: 600, batchSize: 128, learningRate: 5e-3, averageDecay: 0.98, validationInterval: 600)
    let trained = try Trainer(
      model: flow, objective: try FlowMatching(flow: flow, path: path, coupling: coupling, options: options),
      training: split.train, options: options
    ).run().model
    let result = try trained.evaluate(on: split.test)
    let entropy = 0.5 * log(2 * Double.pi * Double(M_E) * 0.25)
    #expect(
      abs(result.nllNats - entropy) < 3 * result.nllStandardError + 0.05, "\(path): \(result.nllNats), \(entropy)")
    #expect(result.failed == 0)
  }

  @Test func refusesWhatCannotBeMeant() {
    let options = TrainingFixture.options(steps: 1, backend: .c)
    #expect(throws: TrainingError.self) {
      try FlowMatching(flow: TrainingFixture.flow, path: .linear(deviation: -1), options: options)
    }
    let regularised = TrainingFixture.options(
      steps: 1, backend: .c, regularisation: Regularisation(kineticEnergy: 0.1, frobeniusNorm: 0))
    #expect(throws: TrainingError.self) { try FlowMatching(flow: TrainingFixture.flow, options: regularised) }
  }
}
