extension DiffusionModel: FlowBackedModel {
  /// The probability flow as a continuous flow, with everything that flows have: samples and densities by any solver,
  /// exact or estimated traces, step control per sample. At every s its density is that of the diffused data, as well
  /// as the net knows their score.
  ///
  /// t = 0 is s = 1, where the base is N(0, `process.baseDeviation`²); T is s = `DiffusionProcess.cutoff`, where x
  /// stands for the data.
  public var probabilityFlow: ContinuousFlow {
    let (start, end) = (DiffusionAngle(process, at: 1), DiffusionAngle(process, at: DiffusionProcess.cutoff))
    // y = x/n at both ends: the transform's scale includes n at the data's end, the base's deviation includes n at the
    // noise's end.
    let scaled = DataTransform(
      shift: transform.shift, scale: transform.scale.map { $0 * end.scale },
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

  public var flow: ContinuousFlow { probabilityFlow }
}
