import ContinuousFlows
import FlowPlots

extension ParticlePaths {
  /// How many times are shown.
  static let timeCount = 41
  private static let particleCount = 400

  /// - Parameters:
  ///   - times: rising, from 0 to the flow's end.
  ///   - paths: so many particles at each of `times`, `[times][count][2]`.
  init(at times: [Double], title: String, paths: (_ count: Int) throws -> [SampleMatrix]) rethrows {
    let positions = try paths(Self.particleCount)
    self.init(
      positions: positions.flatMap { $0.values.map { Double($0) } }, times: times, particles: Self.particleCount,
      title: title)
  }
}
