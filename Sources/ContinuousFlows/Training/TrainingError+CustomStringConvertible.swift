extension TrainingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .solveFailed(let sample, let time, let status, let step):
      "step \(step): sample \(sample) of the training set stopped at t = \(time), where it \(status); "
        + "try a lower learning rate, gradient clipping, or more steps for the solver"
    case .lossNotFinite(let step, let value):
      "step \(step): the loss is \(value); try a lower learning rate or gradient clipping"
    case .gradientNotFinite(let step, let parameter):
      "step \(step): the gradient of \(parameter) is infinite or not a number; try a lower learning rate"
    case .notSaved(let cause, let problem):
      "\(cause); and the state before that could not be saved: \(problem)"
    case .invalidOption(let name, let value, let allowed): "\(name) is \(value), must be \(allowed)"
    case .dimensionMismatch(let data, let dimension, let flow):
      "\(data) has \(dimension) columns, but the flow has \(flow) dimensions; give data with \(flow) columns"
    case .noSamples(let data): "\(data) has no samples"
    case .outsideRange(let data, let row, let column, let value, let levels):
      "\(data) holds \(value) in row \(row + 1), column \(column + 1), but this flow has a density only from 0 to 1; "
        + "give a level k of \(levels) as (k + u) / \(levels) with u uniform in [0, 1)"
    case .stateMismatch(let problem): "the checkpoint does not fit this run: \(problem)"
    case .outsideLogitRange(let data, let row, let column, let value, let alpha):
      "\(data) holds \(value) in row \(row + 1), column \(column + 1), but a flow with the logit transform of alpha \(alpha) "
        + "has a density only \(LogitTransform(alpha: alpha).rangeText): bring the data scaled to 0 ... 1"
    case .contextNotAClass(let data, let row):
      "\(data) has a context in row \(row + 1) that is not a class: write 1 in the column of the class and 0 in the others"
    case .contextMismatch(let data, let columns, 0):
      "\(data) has a context of \(columns) columns, but the model reads none: leave the context out"
    case .contextMismatch(let data, 0, let expected):
      "\(data) has no context, but the model reads one of \(expected) columns: give it with the data"
    case .contextMismatch(let data, let columns, let expected):
      "\(data) has a context of \(columns) columns, but the model reads one of \(expected): give as many"
    }
  }
}
