import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

/// A run that is saved, killed and resumed has the same bits.
@Suite struct TrainerResumeTests {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  /// The folder of a run that was killed some steps after its checkpoint of step 30.
  private func killedRun(_ options: TrainingOptions) throws -> RunFolder {
    let folder = try RunFolder.create(at: temporary.file("killed"))
    let checkpoint = temporary.file("checkpoint-30")
    let trainer = try TrainingFixture.trainer(options, folder: folder)
    _ = try trainer.run(
      shouldStop: { false },
      observer: { event in
        guard case .checkpoint(30, let path) = event else { return }
        #expect(throws: Never.self) { try FileManager.default.copyItem(atPath: path, toPath: checkpoint) }
      })
    // The folder as the kill leaves it: metrics beyond the checkpoint, and the checkpoint of step 30.
    try FileManager.default.removeItem(atPath: folder.checkpointPath)
    try FileManager.default.moveItem(atPath: checkpoint, toPath: folder.checkpointPath)
    return folder
  }

  /// Records without the clock.
  private func metrics(_ folder: RunFolder) throws -> [String] {
    try MetricsLog.read(folder.metricsPath).map { record in
      JSONValue.object((record.members ?? []).filter { $0.key != "seconds" }).description
    }
  }

  @Test(arguments: Backend.allCases, TrainingFixture.regularisations)
  func sixtyStepsAreThirtyAKillAndThirty(backend: Backend, regularisation: Regularisation) throws {
    let options = TrainingFixture.options(steps: 60, backend: backend, regularisation: regularisation)
    let whole = try RunFolder.create(at: temporary.file("whole"))
    let atOnce = try TrainingFixture.trainer(options, folder: whole)
    let expected = try atOnce.run()

    let killed = try killedRun(options)
    let resumed = try Trainer(
      resuming: killed, training: TrainingFixture.split.train, validation: TrainingFixture.split.validation,
      options: options)
    #expect(resumed.state.step == 30)
    let result = try resumed.run()

    #expect(resumed.state.withoutClock == atOnce.state.withoutClock)
    #expect(result.flow == expected.flow)
    #expect(result.bestStep == expected.bestStep)
    let (saved, expectedState) = (
      try TrainingState<ContinuousFlow>(contentsOf: killed.checkpointPath),
      try TrainingState<ContinuousFlow>(contentsOf: whole.checkpointPath)
    )
    #expect(saved.withoutClock == expectedState.withoutClock)
    let (best, expectedBest) = (
      try ContinuousFlow(contentsOf: killed.bestPath), try ContinuousFlow(contentsOf: whole.bestPath)
    )
    #expect(best == expectedBest)
    let (records, expectedRecords) = (try metrics(killed), try metrics(whole))
    #expect(records == expectedRecords)
  }

  @Test(arguments: Backend.allCases, TrainingFixture.regularisations)
  func threadsDoNotMatter(backend: Backend, regularisation: Regularisation) throws {
    func trainer(_ threads: Int) throws -> Trainer<ContinuousFlow> {
      try TrainingFixture.trainer(
        TrainingFixture.options(steps: 10, backend: backend, threads: threads, regularisation: regularisation))
    }
    let one = try trainer(1)
    let three = try trainer(3)
    _ = try one.run()
    _ = try three.run()
    #expect(one.state.withoutClock == three.state.withoutClock)
  }

  @Test(arguments: Backend.allCases)
  func anInterruptedRunGoesOnAsIfItHadNotBeen(backend: Backend) throws {
    let options = TrainingFixture.options(steps: 25, backend: backend)
    let atOnce = try TrainingFixture.trainer(options)
    _ = try atOnce.run()

    let folder = try RunFolder.create(at: temporary.file("run"))
    let trainer = try TrainingFixture.trainer(options, folder: folder)
    let result = try trainer.run(shouldStop: { trainer.state.step == 7 })
    #expect(result.ending == .interruption)
    #expect(result.steps == 7)
    let saved = try TrainingState<ContinuousFlow>(contentsOf: folder.checkpointPath)
    #expect(saved == trainer.state)

    let resumed = try Trainer(
      resuming: try RunFolder.open(at: folder.path), training: TrainingFixture.split.train,
      validation: TrainingFixture.split.validation, options: options)
    let ending = try resumed.run().ending
    #expect(ending == .steps)
    #expect(resumed.state.withoutClock == atOnce.state.withoutClock)
  }

  @Test func aStateComesBackTheSame() throws {
    let trainer = try TrainingFixture.trainer(TrainingFixture.options(steps: 20, backend: .swift))
    _ = try trainer.run()
    #expect(trainer.state.best != nil)
    let path = temporary.file("state.safetensors")
    try trainer.state.write(to: path)
    let read = try TrainingState<ContinuousFlow>(contentsOf: path)
    #expect(read == trainer.state)
    #expect(throws: FlowFileError.wrongKind(path: path, found: "training state", expected: "flow")) {
      try ContinuousFlow(contentsOf: path)
    }
  }

  @Test func anAlteredCheckpointIsRefused() throws {
    let path = temporary.file("state.safetensors")
    try TrainingState(model: TrainingFixture.flow, keepsAverage: true).write(to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    for position in stride(from: 0, to: bytes.count, by: 37) {
      var altered = bytes
      altered[position] ^= 0x10
      try Data(altered).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self, "byte \(position) of \(bytes.count)") {
        try TrainingState<ContinuousFlow>(contentsOf: path)
      }
    }
    try Data(bytes.prefix(bytes.count / 2)).write(to: URL(fileURLWithPath: path))
    #expect(throws: FlowIOError.self) { try TrainingState<ContinuousFlow>(contentsOf: path) }
  }

  @Test func aCheckpointOfOtherOptionsIsRefused() throws {
    let folder = try RunFolder.create(at: temporary.file("run"))
    let state = TrainingState(model: TrainingFixture.flow, keepsAverage: false)
    try state.write(to: folder.checkpointPath)
    #expect(throws: TrainingError.stateMismatch(problem: "it keeps no average of the weights")) {
      try Trainer(
        resuming: folder, training: TrainingFixture.split.train,
        options: TrainingFixture.options(steps: 5, backend: .swift))
    }
  }
}
