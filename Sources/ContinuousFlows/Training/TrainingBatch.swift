/// The samples of one step.
public struct TrainingBatch: Sendable, Equatable {
  /// `[count][D]`, in the space of the model.
  public var states: [Float]
  /// Of the transform that led there, `[count]`.
  public var logDeterminants: [Double]
  /// What the samples' random numbers are keyed by, `[count]`.
  public var identifiers: [UInt64]
  /// Numbers in the training set, `[count]`.
  public var rows: [Int]
  /// Of the run.
  public let seed: UInt64
  /// Steps taken before this one.
  public let step: Int

  public var count: Int { rows.count }
}
