extension SolveFailure: CustomStringConvertible {
  public var description: String {
    "sample \(sample) stopped at t = \(time): it \(status) (\(failed) of \(count) samples failed)"
  }
}
