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
    case .invalidOption(let name, let value, let allowed): "\(name) is \(value), must be \(allowed)"
    case .dimensionMismatch(let data, let dimension, let flow):
      "\(data) has \(dimension) columns, but the flow has \(flow) dimensions; give data with \(flow) columns"
    case .noSamples(let data): "\(data) has no samples"
    case .stateMismatch(let problem): "the checkpoint does not fit this run: \(problem)"
    }
  }
}
