import ContinuousFlows
import Foundation

/// The common options of both benchmarks: an average of the weights, one thread, and seconds of processor time, so that
/// other load on the machine does not count. The caller sets the budget.
func benchOptions(batch: Int, rate: Double, tolerance: Double = 1e-5, seed: UInt64) -> TrainingOptions {
  TrainingOptions(
    steps: .max, batchSize: batch, learningRate: rate, schedule: LearningRateSchedule(warmupSteps: 20),
    adam: Adam(weightDecay: .decoupled(1e-5)), clipNorm: 10, averageDecay: 0.998, seed: seed,
    solver: SolverOptions(control: .perSample(rtol: tolerance, atol: tolerance), trace: .automatic, threads: 1),
    evaluationSolver: SolverOptions(threads: 1), clock: .processor)
}

/// 18,000 samples to train on, 1,000 for validation, 1,000 to report.
func benchSplit(_ name: String) throws -> DatasetSplit {
  try DatasetSource(name).load().split(.counts(validation: 1_000, test: 1_000))
}

func progress(_ words: String) { FileHandle.standardError.write(Data("\(words)\n".utf8)) }

/// `x` with `digits` decimals.
func decimal(_ x: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", x) }
