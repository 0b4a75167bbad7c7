import CNFKernels

extension KernelSolver {
  /// The derivative of a loss of the field itself, at the problem's states and start times, without a solve.
  ///
  /// It takes one evaluation and one backward pass of the field per sample. The problem's end and output times are
  /// ignored.
  public func fieldGradient(
    of loss: FieldLoss<Scalar>, at problem: SolveProblem<Scalar>
  ) throws(KernelError) -> FieldGradient<Scalar> {
    problem.checkShapes(program: program, probeCount: options.probeCount)
    let dimension = program.stateDimension
    let count = problem.count(dimension: dimension)
    loss.checkShapes(count: count, dimension: dimension)
    let gradients = GradientOutputs<Scalar>(
      parameterCount: program.parameterCount, count: count, dimension: dimension, times: 0,
      contextDimension: program.contextDimension, givesLosses: loss.givesLosses)
    let status = handle.withLock { handle in
      problem.withC(dimension: dimension) { input in
        loss.withC { velocities, divergences, loss in
          gradients.withC {
            cnf_solver_evaluate_vjp(handle.pointer, input, velocities, divergences, loss, $0)
          }
        }
      }
    }
    try KernelError.check(status, context("field gradient", problem, count))
    return gradients.fieldGradient
  }
}

extension FieldLoss {
  var givesLosses: Bool {
    if case .cotangents = self { false } else { true }
  }

  func checkShapes(count: Int, dimension: Int) {
    switch self {
    case .cotangents(let velocities, let divergences):
      precondition(
        velocities.isEmpty || velocities.count == count * dimension,
        "\(velocities.count) numbers do not make velocity cotangents [\(count)][\(dimension)]")
      precondition(
        divergences.isEmpty || divergences.count == count,
        "\(divergences.count) numbers do not make divergence cotangents [\(count)]")
    case .squaredDistance(let targets, let weights, _):
      precondition(
        targets.count == count * dimension, "\(targets.count) numbers do not make targets [\(count)][\(dimension)]")
      precondition((weights?.count ?? count) == count, "\(weights?.count ?? 0) weights for \(count) samples")
    }
  }

  /// Calls `body` with the cotangents of velocities and divergences, or with the loss, as C takes them. The pointers
  /// are valid during the call only.
  func withC<Result>(
    _ body: (UnsafeRawPointer?, UnsafePointer<Double>?, UnsafePointer<cnf_field_loss>?) -> Result
  ) -> Result {
    switch self {
    case .cotangents(let velocities, let divergences):
      return velocities.withUnsafeBytes { velocities in
        divergences.withUnsafeBufferPointer { divergences in
          body(
            velocities.isEmpty ? nil : velocities.baseAddress, divergences.isEmpty ? nil : divergences.baseAddress, nil)
        }
      }
    case .squaredDistance(let targets, let weights, let scale):
      return targets.withUnsafeBytes { targets in
        weights.withPointer { weights in
          var loss = cnf_field_loss()
          loss.struct_size = MemoryLayout<cnf_field_loss>.size
          loss.kind = Int32(CNF_FIELD_LOSS_TARGET.rawValue)
          loss.scale = scale
          loss.target = targets.baseAddress
          loss.weights = weights
          return body(nil, nil, &loss)
        }
      }
    }
  }
}
