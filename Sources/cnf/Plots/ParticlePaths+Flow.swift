import ContinuousFlows
import FlowPlots

extension ParticlePaths {
  /// - Parameter paths: so many particles at rising times from 0 to `endTime`, `[times][count][2]`.
  init(until endTime: Double, title: String, paths: (_ count: Int, _ times: [Double]) throws -> [SampleMatrix]) rethrows
  {
    let times = (0..<particleTimes).map { endTime * Double($0) / Double(particleTimes - 1) }
    let positions = try paths(particleCount, times)
    self.init(
      positions: positions.flatMap { $0.values.map { Double($0) } }, times: times, particles: particleCount,
      title: title)
  }
}

private let particleCount = 400
private let particleTimes = 41
