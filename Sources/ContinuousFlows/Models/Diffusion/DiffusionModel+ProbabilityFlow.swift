extension DiffusionModel: FlowBackedModel {
  /// The probability flow as a continuous flow, with everything that flows have: samples and densities by any solver,
  /// exact or estimated traces, step control per sample. At every s its density is that of the diffused data, as well
  /// as the net knows their score.
  ///
  /// t = 0 is s = 1, where the base is N(0, `process.baseDeviation`²); T is s = `likelihoodCutoff`. As in the paper, x
  /// at that s stands for the data: its density is that of the data with noise of deviation σ(10⁻⁵), which is 10⁻³ for
  /// `vp`.
  public var probabilityFlow: ContinuousFlow { probabilityFlow(from: DiffusionProcess.likelihoodCutoff) }

  /// The probability flow up to another s.
  ///
  /// - Parameter cutoff: s at the data's end, between 0 and 1.
  public func probabilityFlow(from cutoff: Double) -> ContinuousFlow {
    precondition(cutoff > 0 && cutoff < 1, "the cutoff is \(cutoff), must be between 0 and 1")
    let (start, end) = (DiffusionAngle(process, at: 1), DiffusionAngle(process, at: cutoff))
    // y = x/n at both ends: the transform's scale includes n at the data's end, the base's deviation includes n at the
    // noise's end.
    let scaled = DataTransform(
      shift: transform.shift, scale: transform.scale.map { Float(Double($0) * end.scale) },
      marginals: transform.marginals, logit: transform.logit)
    let deviation = Float(process.baseDeviation / start.scale)
    let base: BaseDistribution =
      deviation == 1
      ? .standardNormal
      : .gaussian(
        mean: Array(repeating: 0, count: dimension), deviation: Array(repeating: deviation, count: dimension))
    return ContinuousFlow(
      program: program, parameters: parameters, endTime: start.angle - end.angle, transform: scaled, base: base)
  }

  /// Log-densities come from the probability flow up to s = `likelihoodCutoff`.
  public var densityFlow: ContinuousFlow { probabilityFlow }
  /// Samples come from the probability flow up to s = `samplingCutoff`.
  public var samplingFlow: ContinuousFlow { probabilityFlow(from: DiffusionProcess.samplingCutoff) }
}
