/// Preconditions that the initialisers and properties of models share.
enum ModelChecks {
  static func check(_ parameters: [Float], count: Int) {
    precondition(parameters.count == count, "\(parameters.count) parameters for a model that has \(count)")
  }

  static func check(_ transform: DataTransform, dimension: Int) {
    precondition(
      transform.dimension == dimension,
      "a transform of \(transform.dimension) columns for a model of \(dimension) dimensions")
  }

  static func check(_ base: BaseDistribution, dimension: Int) {
    if let problem = base.problem(dimension: dimension) { preconditionFailure("\(base.kind) base: \(problem)") }
  }

  static func check(endTime: Double) {
    precondition(endTime > 0 && endTime.isFinite, "endTime is \(endTime), must be positive and finite")
  }

  static func check(isComplete program: FieldProgram) {
    precondition(program.isComplete, "the program's last block does not have \(program.stateDimension) rows")
  }
}

extension TrainableModel {
  func checkContext(_ context: SampleMatrix?, count: Int) {
    let (rows, columns) = (context?.count ?? count, context?.dimension ?? 0)
    precondition(
      rows == count && columns == contextDimension,
      "a context of \(rows) rows and \(columns) columns for \(count) samples of a model that reads \(contextDimension)")
  }

  func checkDimension(of samples: SampleMatrix) {
    precondition(
      samples.dimension == dimension, "samples of \(samples.dimension) columns for a model of \(dimension) dimensions")
  }
}

extension SolveFailure {
  /// Throws for the first of `count` samples with a state, `[count][dimension]`, that is not finite.
  static func checkFinite(_ states: [Float], count: Int, dimension: Int, time: Double) throws(SolveFailure) {
    let failed = (0..<count).filter { sample in
      !states[sample * dimension..<(sample + 1) * dimension].allSatisfy(\.isFinite)
    }
    guard let first = failed.first else { return }
    throw SolveFailure(sample: first, time: time, status: .notFinite, failed: failed.count, count: count)
  }
}
