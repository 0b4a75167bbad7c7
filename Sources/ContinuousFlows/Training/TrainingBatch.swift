/// The samples of one training step.
public struct TrainingBatch: Sendable, Equatable {
  /// `[count][D]`, in the model's space.
  public var states: [Float]
  /// Log-determinants of the data's transform, `[count]`.
  public var logDeterminants: [Double]
  /// Keys of the samples' random numbers, `[count]`.
  public var identifiers: [UInt64]
  /// Row numbers in the training set, `[count]`.
  public var rows: [Int]
  /// The seed of the run.
  public let seed: UInt64
  /// Steps taken before this one.
  public let step: Int
  /// `[count][C]`, as the model reads it; empty if C is 0.
  public var context: [Float] = []

  public var count: Int { rows.count }

  /// The samples of each context as rising numbers within the batch; one group of all samples if there is no context.
  var samplesByContext: [[Int]] {
    guard count > 0, !context.isEmpty else { return [Array(0..<count)] }
    let dimension = context.count / count
    let groups = Dictionary(grouping: 0..<count) { Array(context[$0 * dimension..<($0 + 1) * dimension]) }
    return groups.values.sorted { $0[0] < $1[0] }
  }
}
