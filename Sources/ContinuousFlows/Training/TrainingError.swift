/// Why training stopped short. What had been reached is saved: in the run folder if there is one.
public enum TrainingError: Error, Sendable, Equatable {
  /// A sample of the batch did not reach t = 0. `sample` is its number in the training set, `time` where it stopped.
  case solveFailed(sample: Int, time: Double, status: SampleStatus, step: Int)
  /// The batch's mean loss is infinite or not a number.
  case lossNotFinite(step: Int, value: Double)
  /// The gradient holds an infinity or a NaN; `parameter` is the first one's name.
  case gradientNotFinite(step: Int, parameter: String)
  /// What `cause` says happened, and then the state could not be saved either.
  case notSaved(cause: String, problem: String)
  /// An option's value is out of its range.
  case invalidOption(name: String, value: String, allowed: String)
  /// Data and flow disagree on D.
  case dimensionMismatch(data: String, dimension: Int, flow: Int)
  /// A set without samples.
  case noSamples(data: String)
  /// A value lies where the flow's transform has no density; row and column count from 0, the message counts from 1.
  case outsideRange(data: String, row: Int, column: Int, value: Float, levels: Int)
  /// The checkpoint is not of this model.
  case stateMismatch(problem: String)
  /// As `outsideRange`, of a flow with the logit transform.
  case outsideUnitInterval(data: String, row: Int, column: Int, value: Float)
  /// Data and model disagree on the columns of the context; 0: none.
  case contextMismatch(data: String, columns: Int, expected: Int)
}
