import FlowIO
import Testing

@testable import ContinuousFlows

/// Samples keep their context through splits, batches and files; wrong contexts are refused.
@Suite struct ContextTests {
  private let labelled = Dataset(
    name: "labelled", samples: SampleMatrix(count: 6, dimension: 1, values: [0, 10, 20, 30, 40, 50]),
    labels: [2, 0, 1, 2, 2, 0])

  @Test func labelsBecomeColumns() throws {
    let conditioned = try labelled.conditionedOnLabels()
    #expect(conditioned.context?[0] == [0, 0, 1] && conditioned.context?.dimension == 3)
    #expect(try labelled.conditionedOnLabels(classes: 4).context?.dimension == 4)
    #expect(throws: DataError.labelOutOfRange(source: "labelled", row: 0, label: 2, classes: 2)) {
      try labelled.conditionedOnLabels(classes: 2)
    }
    #expect(throws: DataError.noLabels(source: "checkerboard")) {
      try GeneratedDataset.checkerboard.dataset(count: 3).conditionedOnLabels()
    }
    let shares: [Double] = [2.0 / 6.0, 1.0 / 6.0, 3.0 / 6.0]
    #expect(ContextKind.classes(3, counting: labelled.labels ?? []) == .classes(probabilities: shares))
  }

  @Test func lastColumnsBecomeContext() throws {
    let values: [Double] = [1, 2, 3, 4, 5, 6]
    let whole = Dataset(name: "file", samples: SampleMatrix(count: 2, dimension: 3, values: values))
    let split = try whole.conditionedOnLastColumns(2)
    #expect(split.samples.values == [1, 4] && split.context?.values == [2, 3, 5, 6])
    #expect(split.identifiers == whole.identifiers)
    #expect(throws: DataError.noColumnsLeft(source: "file", columns: 3, taken: 3)) {
      try whole.conditionedOnLastColumns(3)
    }
    let spoilt = split.conditioned(on: SampleMatrix(count: 2, dimension: 2, values: [2, 3, 5, .nan]))
    #expect(throws: DataError.notFinite(source: "file", row: 1, column: 2, value: "nan")) { try spoilt.validate() }
  }

  /// A context of a class has one 1 and zeros; training and evaluation name the first row that has not.
  @Test func rowsThatAreNoClassAreRefused() throws {
    let kind = ContextKind.classes(probabilities: [0.25, 0.75])
    for row in [[0.0, 0], [1, 1], [0.5, 0.5], [2, -1], [0, 0.9], [.nan, 1]] {
      let context = SampleMatrix(count: 3, dimension: 2, values: [1, 0] + row + [0, 1])
      #expect(kind.firstMisfit(in: context) == 1, "\(row)")
      guard row.allSatisfy(\.isFinite) else { continue }
      let data = Dataset(
        name: "odd", samples: SampleMatrix(count: 3, dimension: 1, values: [1, 2, 3]), context: context)
      #expect(throws: TrainingError.contextNotAClass(data: "odd", row: 1)) { try Self.flow(kind).evaluate(on: data) }
      #expect(throws: TrainingError.contextNotAClass(data: "odd", row: 1)) {
        try Trainer(flow: Self.flow(kind), training: data, options: TrainingOptions(steps: 1))
      }
    }
    let proper = SampleMatrix(count: 2, dimension: 2, values: [1, 0, 0, 1])
    #expect(kind.firstMisfit(in: proper) == nil)
    let columns = ContextKind.columns(standardising: proper)
    #expect(columns.firstMisfit(in: SampleMatrix(count: 1, dimension: 2, values: [0.5, 3])) == nil)
  }

  /// Each sample keeps its own row: in every part of the split, the label equals the context's column.
  @Test func contextGoesWithItsSample() throws {
    let digits = try DatasetSource("digits").load().conditionedOnLabels()
    let split = try digits.split(.counts(validation: 72, test: 360))
    for part in [split.train, split.validation, split.test, split.fitted] {
      let labels = try #require(part.labels)
      #expect(part.context == SampleMatrix(oneHot: labels.map { Int($0) }, classes: 10), "\(part.count)")
    }
    #expect(split.fitted.count == 1437)
  }

  @Test func batchesCarryIt() throws {
    let conditioned = try labelled.conditionedOnLabels()
    var batches = TrainingBatches(
      conditioned, transform: .identity(dimension: 1), size: 4, seed: 1,
      context: (conditioned.context?.values ?? []).map { Float($0) })
    for step in 0..<5 {
      let batch = batches.batch(step: step)
      for (place, row) in batch.rows.enumerated() {
        #expect(
          batch.context[3 * place..<3 * place + 3].map { Double($0) } == conditioned.context.map { Array($0[row]) })
      }
      #expect(batch.samplesByContext.flatMap { $0 }.sorted() == [0, 1, 2, 3])
      for group in batch.samplesByContext {
        #expect(Set(group.map { conditioned.labels?[batch.rows[$0]] }).count == 1)
      }
    }
    var plain = TrainingBatches(labelled, transform: .identity(dimension: 1), size: 4, seed: 1)
    #expect(plain.batch(step: 0).samplesByContext == [[0, 1, 2, 3]] && plain.batch(step: 0).context.isEmpty)
  }

  /// Optimal transport pairs within a class, so each class keeps the base samples that it had before.
  @Test(arguments: [nil, ContextKind.classes(probabilities: [0.25, 0.25, 0.5])])
  func couplingsStayWithinAContext(kind: ContextKind?) throws {
    let conditioned = try labelled.conditionedOnLabels()
    let architecture = FieldArchitecture(hidden: [4], activation: .tanh, contextDimension: 3)
    let flow = ContinuousFlow(dimension: 1, architecture: architecture, contextKind: kind)
    var batches = TrainingBatches(
      conditioned, transform: .identity(dimension: 1), size: 6, seed: 1,
      context: (conditioned.context?.values ?? []).map { Float($0) })
    let batch = batches.batch(step: 0)
    func starts(_ coupling: FlowMatching.Coupling) throws -> [Float] {
      let objective = try FlowMatching(flow: flow, coupling: coupling, options: TrainingOptions(steps: 1))
      let samples = objective.pathSamples(on: batch, flow)
      // On a straight line, x_t − t dx/dt is the start of the path.
      return samples.states.indices.map { samples.states[$0] - Float(samples.times[$0]) * samples.rates[$0] }
    }
    let (independent, paired) = (try starts(.independent), try starts(.optimalTransport))
    #expect(independent != paired)
    for group in batch.samplesByContext {
      let (before, after) = (group.map { independent[$0] }.sorted(), group.map { paired[$0] }.sorted())
      // Rounding of states of size 50.
      for (one, other) in zip(before, after) { #expect(abs(one - other) < 1e-4) }
      // In one dimension the pairing of least squared distance is monotone.
      let byData = group.sorted { batch.states[$0] < batch.states[$1] }.map { paired[$0] }
      #expect(zip(byData, byData.dropFirst()).allSatisfy { $0 <= $1 + 1e-4 })
    }
  }

  /// Contexts of real numbers: x = 0.9 c + 0.44 ε. Pairs by distance alone make the base depend on c; those of the
  /// objective do not, and are still nearer than independent pairs.
  @Test func couplingsOfRealContextsDoNotSkewTheBase() throws {
    let (count, batches) = (256, 8)
    let architecture = FieldArchitecture(hidden: [4], activation: .tanh, contextDimension: 1)
    let flow = ContinuousFlow(
      dimension: 1, architecture: architecture, contextKind: .columns(DataTransform(shift: [0], scale: [1])))
    /// Correlation of base and context squared, and the mean of (x − z)², over all pairs.
    func pairs(_ base: (TrainingBatch) throws -> [Float]) rethrows -> (dependence: Double, length: Double) {
      var (zc, zz, cc, length) = (0.0, 0.0, 0.0, 0.0)
      for step in 0..<batches {
        let source = RandomSource(seed: 3, stream: .data, step: UInt64(step))
        let contexts = (0..<count).map { Float(source.normal(sample: UInt64($0), dimension: 0)) }
        let states = contexts.enumerated().map {
          0.9 * $1 + 0.44 * Float(source.normal(sample: UInt64($0), dimension: 1))
        }
        let batch = TrainingBatch(
          states: states, logDeterminants: Array(repeating: 0, count: count), identifiers: (0..<count).map(UInt64.init),
          rows: Array(0..<count), seed: 5, step: step, context: contexts)
        for (index, z) in try base(batch).enumerated() {
          let (z, c, x) = (Double(z), Double(contexts[index]), Double(states[index]))
          (zc, zz, cc, length) = (zc + z * c, zz + z * z, cc + c * c, length + (x - z) * (x - z))
        }
      }
      return (zc * zc / (zz * cc), length / Double(count * batches))
    }
    func starts(_ coupling: FlowMatching.Coupling, share: Double = FlowMatching.contextShare) throws -> (
      dependence: Double, length: Double
    ) {
      let objective = try FlowMatching(
        flow: flow, coupling: coupling, contextShare: share, options: TrainingOptions(steps: 1))
      return pairs { batch in
        let samples = objective.pathSamples(on: batch, flow)
        // On a straight line x_t − t dx/dt is where it began.
        return samples.states.indices.map { samples.states[$0] - Float(samples.times[$0]) * samples.rates[$0] }
      }
    }
    let plain = pairs { batch in
      let base = flow.base.samples(count: count, dimension: 1, seed: 5, step: UInt64(batch.step))
      let data = StateMatrix(count: count, dimension: 1, values: batch.states)
      return base.rows(Assignment.ofLeastDistance(from: data, to: base)).values
    }
    let (independent, paired) = (try starts(.independent), try starts(.optimalTransport))
    // For independent pairs their number times R² is chi-square with one degree of freedom, here at 1 - 1e-6.
    let chance = 23.93 / Double(count * batches)
    #expect(plain.dependence > 0.7, "\(plain)")
    #expect(paired.dependence < chance && independent.dependence < chance, "\(paired), \(independent)")
    // Var(x - z) is 2 for independent pairs.
    #expect(paired.length < 0.8 * independent.length, "\(paired), \(independent)")
    #expect(try starts(.optimalTransport, share: 0).length == independent.length)
    let wide = try starts(.optimalTransport, share: 0.2)
    #expect(wide.dependence > chance && wide.length < paired.length, "\(wide)")
  }

  /// The weight by definition: of all pairs, the wanted share and no more costs at most what a data sample's own does.
  @Test func contextWeightsLeaveTheirShare() {
    let (count, share) = (60, 0.1)
    let source = RandomSource(seed: 4, stream: .data)
    func costs(_ dimension: Int, own: Bool) -> AssignmentCosts {
      let values = (0..<count).map { source.normal(sample: UInt64($0), dimension: dimension) }
      let others = own ? values : (0..<count).map { source.normal(sample: UInt64($0), dimension: dimension + 1) }
      return AssignmentCosts(count: count) { row in
        AssignmentCosts.blocks(others.map { ($0 - values[row]) * ($0 - values[row]) }, padding: 0)
      }
    }
    let (distances, contexts) = (costs(0, own: false), costs(4, own: true))
    func candidates(_ weight: Double) -> Int {
      (0..<count * count).count { place in
        let (row, column) = (place / count, place % count)
        return distances[row, column] + weight * contexts[row, column] <= distances[row, row]
      }
    }
    let weight = ContextWeight.largest(leaving: share, distances, contexts)
    #expect(candidates(weight * (1 - 1e-9)) == Int(share * Double(count * count)))
    #expect(candidates(weight * (1 + 1e-9)) == Int(share * Double(count * count)) - 1)
    #expect(ContextWeight.largest(leaving: 1, distances, contexts) == 0)
    #expect(ContextWeight.largest(leaving: 0.5 / Double(count), distances, contexts) == .infinity)
  }

  private static func flow(_ contextKind: ContextKind?) -> ContinuousFlow {
    ContinuousFlow(
      dimension: 1, architecture: FieldArchitecture(hidden: [3], activation: .tanh, contextDimension: 2),
      contextKind: contextKind)
  }

  @Test(arguments: [
    ContextKind.classes(probabilities: [0.25, 0.75]), .columns(DataTransform(shift: [0.1, -3], scale: [2, 1 / 3])),
  ])
  func filesKeepIt(contextKind: ContextKind) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("flow.safetensors")
    let flow = Self.flow(contextKind)
    try flow.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == flow)
    let file = try SafetensorsFile(path: path)
    #expect(file.metadata["swift_cnf.version"] == "4")
    try TrainingState(model: flow, keepsAverage: true).write(to: path)
    #expect(try TrainingState<ContinuousFlow>(contentsOf: path).model == flow)
    for (key, value) in [
      ("condition", "weather"), ("condition.dimension", "3"), ("condition.probabilities", "0.5,0.6"),
      ("condition.probabilities", "1"), ("condition.scale", "1,0"), ("condition.shift", "1,nan"),
    ] where file.metadata[key] != nil {
      var altered = file
      altered.metadata[key] = value
      try altered.write(to: path)
      #expect(throws: FlowFileError.self, "\(key) = \(value)") { try ContinuousFlow(contentsOf: path) }
    }
    // A file without a context transform has the first version. The context is then what the field reads.
    try Self.flow(nil).write(to: path)
    #expect(try SafetensorsFile(path: path).metadata["swift_cnf.version"] == "1")
  }

  @Test func otherContextsAreRefused() throws {
    let options = TrainingOptions(steps: 1)
    let flow = Self.flow(nil)
    #expect(throws: TrainingError.contextMismatch(data: "labelled", columns: 0, expected: 2)) {
      try Trainer(flow: flow, training: labelled, options: options)
    }
    let three = try labelled.conditionedOnLabels()
    #expect(throws: TrainingError.contextMismatch(data: "labelled", columns: 3, expected: 2)) {
      try flow.evaluate(on: three)
    }
    #expect(throws: TrainingError.contextMismatch(data: "labelled", columns: 3, expected: 0)) {
      try Trainer(flow: ContinuousFlow(dimension: 1, hidden: [2]), training: three, options: options)
    }
  }
}
