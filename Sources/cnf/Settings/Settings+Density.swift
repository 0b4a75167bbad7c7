import ContinuousFlows

extension Settings {
  /// Throws a usage failure for a base that no likelihood can lead samples to.
  ///
  /// - Parameter alternative: what could be given in place of another base; "" for nothing.
  func refuseUniformBase(or alternative: String = "") throws {
    guard base != "uniform" else {
      throw CommandFailure(
        .usage,
        "base is uniform, whose density is 0 outside its box, so that no gradient leads a sample in: take another, "
          + "such as gaussian" + alternative)
    }
  }

  /// What stands between `training` and a model of it, and what the model's samples begin as.
  func surroundings(of training: Dataset) throws -> (transform: DataTransform, base: BaseDistribution) {
    let transform = try dataTransform(for: training) ?? .identity(dimension: training.dimension)
    return (transform, try fittedBase(to: training, through: transform))
  }
}
