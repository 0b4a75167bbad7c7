import ContinuousFlows
import Foundation

/// A run of training whose time is that of the processor, on one thread: neighbours on the machine do not count.
struct TimedTraining<Model: TrainableModel> {
  private let trainer: Trainer<Model>
  private(set) var seconds = 0.0

  init(
    _ model: Model, _ objective: any TrainingObjective<Model>, on data: Dataset, options: TrainingOptions
  ) throws {
    trainer = try Trainer(model: model, objective: objective, training: data, options: options)
  }

  /// The weights' average once `budget` seconds of training are spent in all; evaluations between do not count.
  mutating func model(after budget: Double) throws -> Model {
    let start = processorSeconds() - seconds
    _ = try trainer.run(shouldStop: { processorSeconds() - start >= budget })
    seconds = processorSeconds() - start
    return trainer.state.averagedModel
  }

  var steps: Int { trainer.state.step }
}

/// Seconds of the processor that this process has taken.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

/// What every run of both benchmarks has alike: a constant rate with an average of the weights, so that one run has figures for
/// every budget; one thread.
func benchOptions(batch: Int, rate: Double, tolerance: Double = 1e-5, seed: UInt64) -> TrainingOptions {
  TrainingOptions(
    steps: .max, batchSize: batch, learningRate: rate, schedule: LearningRateSchedule(warmupSteps: 20),
    adam: Adam(weightDecay: .decoupled(1e-5)), clipNorm: 10, averageDecay: 0.998, seed: seed,
    solver: SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance), trace: .automatic, threads: 1),
    evaluationSolver: SolverOptions(threads: 1))
}

/// 18,000 points to train on, 1,000 to choose by, 1,000 to report.
func benchSplit(_ name: String) throws -> DatasetSplit {
  try DatasetSource(name).load().split(.counts(validation: 1_000, test: 1_000))
}

func progress(_ words: String) { FileHandle.standardError.write(Data("\(words)\n".utf8)) }

/// `x` with `digits` decimals.
func decimal(_ x: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", x) }
