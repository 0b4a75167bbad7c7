import CNFKernels

extension Loss {
  /// Whether C writes the loss of each sample. It cannot if the caller gives cotangents of a loss that C does not know.
  var givesLosses: Bool {
    if case .cotangents = self { false } else { true }
  }

  func checkShapes(count: Int, dimension: Int, times: Int) {
    guard
      case .cotangents(let states, let logDeterminants, let statesAt, let logDeterminantsAt, let eventTimes) = self
    else { return }
    precondition(
      eventTimes.isEmpty || eventTimes.count == count,
      "\(eventTimes.count) numbers do not make event time cotangents [\(count)]")
    precondition(
      states.count == count * dimension,
      "\(states.count) numbers do not make state cotangents [\(count)][\(dimension)]")
    precondition(
      logDeterminants.count == count,
      "\(logDeterminants.count) numbers do not make log-determinant cotangents [\(count)]")
    precondition(
      statesAt.isEmpty || statesAt.count == count * times * dimension,
      "\(statesAt.count) numbers do not make state cotangents at output times [\(count)][\(times)][\(dimension)]")
    precondition(
      logDeterminantsAt.isEmpty || logDeterminantsAt.count == count * times,
      "\(logDeterminantsAt.count) numbers do not make log-determinant cotangents at output times [\(count)][\(times)]")
  }

  /// Calls `body` with this loss as a C struct. The pointers are valid during the call only.
  func withC<Result>(
    _ regularisation: Regularisation, dimension: Int, _ body: (UnsafePointer<cnf_loss>) -> Result
  ) -> Result {
    var loss = cnf_loss()
    loss.struct_size = MemoryLayout<cnf_loss>.size
    loss.kinetic = regularisation.kineticEnergy
    loss.frobenius = regularisation.frobeniusNorm
    switch self {
    case .standardNormalNegativeLogLikelihood(let scale):
      loss.kind = Int32(CNF_LOSS_NORMAL_NLL.rawValue)
      loss.scale = scale
      return body(&loss)
    case .function(let function):
      let context = TypedLossContext(function: function, dimension: dimension)
      loss.kind = Int32(CNF_LOSS_CALLBACK.rawValue)
      loss.context = Unmanaged<LossContext>.passUnretained(context).toOpaque()
      loss.function = { LossContext.at($0).call($1, $2, $3!, $4!, $5!, $6!, $7!, $8!) }
      return withExtendedLifetime(context) { body(&loss) }
    case .cotangents(let states, let logDeterminants, let statesAt, let logDeterminantsAt, let eventTimes):
      loss.kind = Int32(CNF_LOSS_COTANGENTS.rawValue)
      return states.withUnsafeBytes { states in
        loss.x1_bar = states.baseAddress
        return logDeterminants.withUnsafeBufferPointer { logDeterminants in
          loss.log_det_bar = logDeterminants.baseAddress
          return statesAt.withUnsafeBytes { statesAt in
            loss.x_at_bar = statesAt.isEmpty ? nil : statesAt.baseAddress
            return logDeterminantsAt.withUnsafeBufferPointer { logDeterminantsAt in
              loss.log_det_at_bar = logDeterminantsAt.isEmpty ? nil : logDeterminantsAt.baseAddress
              return eventTimes.withUnsafeBufferPointer { eventTimes in
                loss.event_time_bar = eventTimes.isEmpty ? nil : eventTimes.baseAddress
                return body(&loss)
              }
            }
          }
        }
      }
    }
  }
}
