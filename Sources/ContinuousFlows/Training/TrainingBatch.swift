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
  /// `[count][C]`, as the model reads it; empty where C is 0.
  public var context: [Float] = []

  public var count: Int { rows.count }

  /// Numbers, within the batch, of the samples of each context, rising; all of them together where there is none.
  var samplesByContext: [[Int]] {
    guard count > 0, !context.isEmpty else { return [Array(0..<count)] }
    let dimension = context.count / count
    let groups = Dictionary(grouping: 0..<count) { Array(context[$0 * dimension..<($0 + 1) * dimension]) }
    return groups.values.sorted { $0[0] < $1[0] }
  }
}
