import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct TrainerTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  @Test(arguments: Backend.allCases)
  func trainingLowersTheLoss(backend: Backend) throws {
    let trainer = try TrainingFixture.trainer(TrainingFixture.options(steps: 60, backend: backend))
    var losses: [Double] = []
    let result = try trainer.run(observer: { if case .step(let report) = $0 { losses.append(report.loss) } })
    #expect(losses.count == 60)
    #expect(losses.suffix(10).reduce(0, +) < losses.prefix(10).reduce(0, +))
    #expect(result.ending == .steps)
    let again = try result.flow.evaluate(
      on: TrainingFixture.split.validation, options: trainer.options.evaluationSolver, backend: backend,
      seed: trainer.options.seed)
    #expect(again == result.validation)
  }

  /// Computes the same number in two ways: as the loss of a gradient call, and as the density.
  @Test(arguments: Backend.allCases, TrainingFixture.regularisations)
  func theLossIsTheMeanNegativeLogDensity(backend: Backend, regularisation: Regularisation) throws {
    var options = TrainingFixture.options(steps: 1, backend: backend, regularisation: regularisation)
    options.batchSize = TrainingFixture.split.train.count
    options.solver = SolverOptions(control: .perSample(rtol: 1e-5, atol: 1e-5))
    var loss = Double.nan
    _ = try TrainingFixture.trainer(options).run(observer: {
      if case .step(let report) = $0 { loss = report.nllNats ?? .nan }
    })
    let expected = try TrainingFixture.flow.evaluate(
      on: TrainingFixture.split.train, options: options.solver, backend: backend)
    // Both ways have the states in Float; only the order of the sum differs.
    #expect(abs(loss - expected.nllNats) < 1e-6, "\(loss) for \(expected.nllNats)")
  }

  @Test func reportsAreWhatIsOnRecord() throws {
    let folder = try RunFolder.create(at: temporary.file("run"))
    let trainer = try TrainingFixture.trainer(TrainingFixture.options(steps: 40, backend: .swift), folder: folder)
    var kinds: [String] = []
    var rates: [Double] = []
    _ = try trainer.run(observer: { event in
      switch event {
      case .step(let report): rates.append(report.learningRate)
      case .validation(let report): kinds.append("validation \(report.step)")
      case .checkpoint(let step, _): kinds.append("checkpoint \(step)")
      }
    })
    #expect(kinds == ["validation 20", "checkpoint 30", "validation 40", "checkpoint 40"])
    let schedule = trainer.options.schedule
    #expect(rates == (0..<40).map { 1e-2 * schedule.factor(step: $0, progress: Double($0) / 40) })
    let records = try MetricsLog.read(folder.metricsPath)
    #expect(records.filter { $0["kind"]?.text == "step" }.count == 13)
    #expect(records.filter { $0["kind"]?.text == "validation" }.count == 2)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains { $0.hasPrefix("events.out.tfevents.") })
  }

  /// Regularisers make the flow smoother, with a higher NLL. After the same steps from the same weights, the
  /// regularised flow has less of both costs and needs no more evaluations. The metrics record both costs before each
  /// step.
  @Test(arguments: Backend.allCases)
  func regularisersDoTheirWork(backend: Backend) throws {
    let weights = Regularisation(kineticEnergy: 0.5, frobeniusNorm: 0.5)
    var last: [Bool: StepReport] = [:]
    var records: [Bool: [JSONValue]] = [:]
    for isRegularised in [false, true] {
      var options = TrainingFixture.options(steps: 60, backend: backend)
      options.batchSize = TrainingFixture.split.train.count
      options.solver = SolverOptions(control: .perSample(rtol: 1e-5, atol: 1e-5), trace: .exactTangents)
      // Both runs measure the costs; one of them adds them to its loss.
      options.solver.integratesKineticEnergy = true
      options.solver.integratesFrobeniusNorm = true
      if isRegularised { options.regularisation = weights }
      let folder = try RunFolder.create(at: temporary.file("run-\(isRegularised)"))
      _ = try TrainingFixture.trainer(options, folder: folder).run(observer: {
        if case .step(let report) = $0 { last[isRegularised] = report }
      })
      records[isRegularised] = try MetricsLog.read(folder.metricsPath).filter { $0["kind"]?.text == "step" }
    }
    let free = try #require(last[false])
    let bound = try #require(last[true])
    let kinetic = (try #require(free.kineticEnergy), try #require(bound.kineticEnergy))
    let frobenius = (try #require(free.frobeniusNorm), try #require(bound.frobeniusNorm))
    #expect(kinetic.1 < 0.8 * kinetic.0, "kinetic energies \(kinetic)")
    #expect(frobenius.1 < 0.8 * frobenius.0, "Frobenius norms \(frobenius)")
    #expect(bound.evaluationsMean <= free.evaluationsMean, "\(bound.evaluationsMean), \(free.evaluationsMean)")
    let (freeNLL, boundNLL) = (try #require(free.nllNats), try #require(bound.nllNats))
    #expect(freeNLL < boundNLL && boundNLL < 5)
    for record in (records[true] ?? []) + (records[false] ?? []) {
      #expect(record["kinetic_energy"]?.doubleValue ?? 0 > 0 && record["frobenius_norm"]?.doubleValue ?? 0 > 0)
    }
    #expect(records[true]?.last?["kinetic_energy"]?.doubleValue == bound.kineticEnergy)
  }

  @Test(arguments: [-0.1, .nan, .infinity])
  func coefficientsThatCannotBeMeantAreRefused(value: Double) throws {
    for regularisation in [Regularisation(kineticEnergy: value), Regularisation(frobeniusNorm: value)] {
      let options = TrainingFixture.options(steps: 1, backend: .c, regularisation: regularisation)
      #expect(throws: TrainingError.self) { try TrainingFixture.trainer(options) }
    }
    var options = TrainingFixture.options(steps: 1, backend: .c, regularisation: Regularisation(frobeniusNorm: 0.1))
    options.solver.trace = .exactProduct
    #expect(throws: TrainingError.self) { try TrainingFixture.trainer(options) }
  }

  @Test func patienceEndsARunThatNoLongerImproves() throws {
    var options = TrainingFixture.options(steps: 100, backend: .swift)
    options.averageDecay = nil
    // The learning rate is too small to change a Float, so every validation gives the same number.
    options.learningRate = 1e-30
    options.adam.weightDecay = .none
    options.validationInterval = 3
    options.patience = 2
    let result = try TrainingFixture.trainer(options).run()
    #expect(result.ending == .patience)
    #expect(result.steps == 9)
    #expect(result.bestStep == 3)
  }

  @Test func secondsEndARun() throws {
    var options = TrainingFixture.options(steps: 1, backend: .swift)
    options.steps = nil
    options.seconds = 0.05
    let result = try TrainingFixture.trainer(options).run()
    #expect(result.ending == .seconds)
    #expect(result.steps >= 1)
    #expect(result.seconds >= 0.05)
  }

  @Test(arguments: Backend.allCases)
  func aSolveThatFailsIsNamedAndTheStateSaved(backend: Backend) throws {
    var options = TrainingFixture.options(steps: 10, backend: backend)
    options.solver.control = .perSample(rtol: 1e-7, atol: 1e-9)
    options.solver.maximumSteps = 1
    let folder = try RunFolder.create(at: temporary.file("run"))
    let trainer = try TrainingFixture.trainer(options, folder: folder)
    let error = try #require(throws: TrainingError.self) { try trainer.run() }
    guard case .solveFailed(let sample, let time, let status, let step) = error else {
      Issue.record("unexpected \(error)")
      return
    }
    #expect(TrainingFixture.split.train.samples.count > sample)
    #expect(time > 0 && time <= 0.5)
    #expect(status == .maximumSteps)
    #expect(step == 1)
    let saved = try TrainingState<ContinuousFlow>(contentsOf: folder.checkpointPath)
    #expect(saved.step == 0)
    #expect(saved.model == TrainingFixture.flow)
  }

  @Test(arguments: Backend.allCases)
  func aStateThatBecomesInfiniteIsNamed(backend: Backend) throws {
    var flow = TrainingFixture.flow
    flow.parameters = flow.parameters.map { $0 * 1e30 }
    let trainer = try Trainer(
      flow: flow, training: TrainingFixture.split.train, options: TrainingFixture.options(steps: 5, backend: backend))
    #expect(throws: TrainingError.self) { try trainer.run() }
    #expect(trainer.state.step == 0)
    #expect(trainer.state.model == flow)
  }

  @Test func whatFailedIsSaidAlsoWhereSavingFailsToo() throws {
    var options = TrainingFixture.options(steps: 10, backend: .swift)
    options.solver.control = .perSample(rtol: 1e-7, atol: 1e-9)
    options.solver.maximumSteps = 1
    let folder = try RunFolder.create(at: temporary.file("run"))
    let trainer = try TrainingFixture.trainer(options, folder: folder)
    try FileManager.default.removeItem(atPath: folder.path)
    let error = try #require(throws: TrainingError.self) { try trainer.run() }
    guard case .notSaved = error else {
      Issue.record("unexpected \(error)")
      return
    }
    #expect(error.description.contains("step 1: sample") && error.description.contains("t = "))
    #expect(error.description.contains("could not be saved") && error.description.contains(folder.path))
  }

  @Test func dataWhereTheFlowHasNoDensityAreRefused() throws {
    let marginals = LevelMarginals(levels: 4, probabilities: Array(repeating: 0.25, count: 8))
    let flow = ContinuousFlow(dimension: 2, hidden: [3], transform: .marginals(marginals))
    let levels = SampleMatrix(count: 2, dimension: 2, values: [0, 1, 1, 3])
    let raw = Dataset(name: "raw", samples: levels)
    let expected = TrainingError.outsideRange(data: "raw", row: 1, column: 1, value: 3, levels: 4)
    #expect(throws: expected) { try flow.evaluate(on: raw) }
    #expect(throws: expected) {
      try Trainer(flow: flow, training: raw, options: TrainingFixture.options(steps: 1, backend: .c))
    }
    let quantised = Dataset(name: "levels", samples: levels, quantisation: Quantisation(levels: 4))
    #expect(try flow.evaluate(on: quantised).nllNats.isFinite)
  }

  @Test func withoutValidationTheLastAverageIsKept() throws {
    let folder = try RunFolder.create(at: temporary.file("run"))
    let trainer = try Trainer(
      flow: TrainingFixture.flow, training: TrainingFixture.split.train,
      options: TrainingFixture.options(steps: 12, backend: .swift), folder: folder)
    let result = try trainer.run()
    #expect(result.validation == nil)
    #expect(result.bestStep == 12)
    #expect(result.flow == trainer.state.averagedModel)
    #expect(result.flow != trainer.state.model)
    #expect(try ContinuousFlow(contentsOf: folder.bestPath) == result.flow)
  }

  @Test func failedValidationsAreNeverTheBest() {
    var state = TrainingState(model: TrainingFixture.flow, keepsAverage: false)
    func result(_ nll: Double, failed: Int = 0) -> EvaluationResult {
      EvaluationResult(
        count: 4, nllNats: nll, nllStandardError: 0, bitsPerDimension: 0, evaluationsMean: 0, evaluationsMaximum: 0,
        failed: failed)
    }
    let results = [result(3), result(2, failed: 1), result(.nan), result(3)]
    let areBest = results.enumerated().map { state.note($1, countsForPatience: $0 < 3) }
    #expect(areBest == [true, false, false, false])
    #expect(state.validationsSinceBest == 2)
    let isBest = state.note(result(2.5), countsForPatience: false)
    #expect(isBest)
    #expect(state.validationsSinceBest == 0)
  }

  @Test func optionsThatCannotBeMeantAreRefused() {
    func refuses(_ name: String, _ change: (inout TrainingOptions) -> Void) {
      var options = TrainingFixture.options(steps: 10, backend: .swift)
      change(&options)
      let error = #expect(throws: TrainingError.self) { try TrainingFixture.trainer(options) }
      guard case .invalidOption(name, _, _) = error else {
        Issue.record("\(name): unexpected \(String(describing: error))")
        return
      }
    }
    refuses("steps") { $0.steps = nil }
    refuses("steps") { $0.steps = 0 }
    refuses("seconds") { $0.seconds = -1 }
    refuses("batchSize") { $0.batchSize = 0 }
    refuses("learningRate") { $0.learningRate = .nan }
    refuses("clipNorm") { $0.clipNorm = 0 }
    refuses("averageDecay") { $0.averageDecay = 1 }
    refuses("patience") { $0.patience = 0 }
    refuses("weightDecay") { $0.adam.weightDecay = .penalty(-1) }
    refuses("trace of the training solver") { $0.solver.trace = .none }
  }

  @Test func dataOfAnotherDimensionAreRefused() {
    let wide = Dataset(
      name: "wide", samples: SampleMatrix(count: 3, dimension: 3, values: Array(repeating: 0, count: 9)))
    let options = TrainingFixture.options(steps: 1, backend: .swift)
    #expect(throws: TrainingError.dimensionMismatch(data: "wide", dimension: 3, flow: 2)) {
      try Trainer(flow: TrainingFixture.flow, training: wide, options: options)
    }
    let empty = Dataset(name: "empty", samples: SampleMatrix(count: 0, dimension: 2, values: []))
    #expect(throws: TrainingError.noSamples(data: "empty")) {
      try Trainer(flow: TrainingFixture.flow, training: empty, options: options)
    }
  }
}
