/// Why training stopped early. The state reached so far is saved if there is a run folder.
public enum TrainingError: Error, Sendable, Equatable {
  /// A sample's solve failed. `sample` is its row in the training set, `time` where it stopped.
  case solveFailed(sample: Int, time: Double, status: SampleStatus, step: Int)
  /// The batch's mean loss is infinite or not a number.
  case lossNotFinite(step: Int, value: Double)
  /// The gradient holds an infinity or a NaN; `parameter` is the first one's name.
  case gradientNotFinite(step: Int, parameter: String)
  /// `cause` happened, and then the state could not be saved.
  case notSaved(cause: String, problem: String)
  /// An option's value is out of its range.
  case invalidOption(name: String, value: String, allowed: String)
  /// The data and the model have different D.
  case dimensionMismatch(data: String, dimension: Int, flow: Int)
  /// The set has no samples.
  case noSamples(data: String)
  /// A value is outside the range in which the flow's transform has a density; row and column count from 0, in the
  /// message from 1.
  case outsideRange(data: String, row: Int, column: Int, value: Double, levels: Int)
  /// The checkpoint does not fit this run.
  case stateMismatch(problem: String)
  /// As `outsideRange`, for a flow with the logit transform of this α.
  case outsideLogitRange(data: String, row: Int, column: Int, value: Double, alpha: Double)
  /// The data and the model have different numbers of context columns; 0 means none.
  case contextMismatch(data: String, columns: Int, expected: Int)
  /// A row of the context of a model of classes is not 1 for one class and 0 for the others; rows as above.
  case contextNotAClass(data: String, row: Int)
}
