import CNFKernels

extension Loss {
  /// Whether C writes each sample's loss: cotangents come from a loss that it never sees.
  var givesLosses: Bool {
    if case .cotangents = self { false } else { true }
  }

  func checkShapes(count: Int, dimension: Int) {
    guard case .cotangents(let states, let logDeterminants) = self else { return }
    precondition(
      states.count == count * dimension, "\(states.count) numbers for state cotangents [\(count)][\(dimension)]")
    precondition(
      logDeterminants.count == count, "\(logDeterminants.count) numbers for log-determinant cotangents [\(count)]")
  }

  /// Calls `body` with this loss as C reads it; the pointers live as long as the call.
  func withC<Result>(_ regularisation: Regularisation, _ body: (UnsafePointer<cnf_loss>) -> Result) -> Result {
    var loss = cnf_loss()
    loss.struct_size = MemoryLayout<cnf_loss>.size
    loss.kinetic = regularisation.kineticEnergy
    loss.frobenius = regularisation.frobeniusNorm
    switch self {
    case .standardNormalNegativeLogLikelihood(let scale):
      loss.kind = Int32(CNF_LOSS_NORMAL_NLL.rawValue)
      loss.scale = scale
      return body(&loss)
    case .cotangents(let states, let logDeterminants):
      loss.kind = Int32(CNF_LOSS_COTANGENTS.rawValue)
      return states.withUnsafeBytes { states in
        loss.x1_bar = states.baseAddress
        return logDeterminants.withUnsafeBufferPointer { logDeterminants in
          loss.log_det_bar = logDeterminants.baseAddress
          return body(&loss)
        }
      }
    }
  }
}
