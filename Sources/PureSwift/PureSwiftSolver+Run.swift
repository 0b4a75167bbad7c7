import FieldPrograms
import Synchronization

// From the public solver to code for one vector type. `@_specialize` makes these functions concrete. Everything they
// call is generic over a `LaneVector` in this module, so the optimiser makes it concrete as well.

extension PureSwiftSolver {
  private var threads: Int { options.threads ?? Workers.processorCount }
  /// A `LaneVector` is 32 bytes.
  private static var lanesPerVector: Int { 32 / MemoryLayout<Scalar>.size }

  func makeJob(
    _ problem: SolveProblem<Scalar>, loss: Loss<Scalar>? = nil, regularisation: Regularisation = .none,
    keepsFractions: Bool = false, fieldLoss: FieldLoss<Scalar>? = nil
  ) throws(PureSwiftError) -> SolveJob<Scalar> {
    try check(problem)
    let product = resolution.product.map {
      ProductTrace($0, program: program, parameters: problem.parameters)
    }
    return SolveJob(
      problem: problem, plan: plan,
      weights: FieldWeights(plan: plan, parameters: problem.parameters, product: product), resolution: resolution,
      options: options, scheme: scheme, table: table, lanesPerVector: Self.lanesPerVector, loss: loss,
      regularisation: regularisation, keepsFractions: keepsFractions, fieldLoss: fieldLoss)
  }

  /// Solves all samples; returns their accepted fractions if the job keeps them.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  func runSolve(_ job: SolveJob<Scalar>) -> [[Double]] {
    MemoryLayout<Scalar>.size == 4 ? runSolve(job, as: SIMD8<Scalar>.self) : runSolve(job, as: SIMD4<Scalar>.self)
  }

  /// Evaluates the field at all samples.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func runEvaluation(_ job: SolveJob<Scalar>) {
    if MemoryLayout<Scalar>.size == 4 {
      runEvaluation(job, as: SIMD8<Scalar>.self)
    } else {
      runEvaluation(job, as: SIMD4<Scalar>.self)
    }
  }

  /// Solves and differentiates all samples; returns `∂L/∂θ`, `[P]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func runGradient(_ job: SolveJob<Scalar>) -> [Scalar] {
    MemoryLayout<Scalar>.size == 4 ? runGradient(job, as: SIMD8<Scalar>.self) : runGradient(job, as: SIMD4<Scalar>.self)
  }

  /// Differentiates the field's loss at all samples; returns `∂L/∂θ`, `[P]`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func runFieldGradient(_ job: SolveJob<Scalar>) -> [Scalar] {
    MemoryLayout<Scalar>.size == 4
      ? runFieldGradient(job, as: SIMD8<Scalar>.self) : runFieldGradient(job, as: SIMD4<Scalar>.self)
  }

  private func runSolve<V: LaneVector>(_ job: SolveJob<Scalar>, as _: V.Type) -> [[Double]] where V.Scalar == Scalar {
    let fractions = Mutex([[Double]](repeating: [], count: job.keepsFractions ? job.count : 0))
    Workers.run(chunks: job.chunks.chunks, threads: threads) { queue in
      let worker = ChunkWorker<V>(job: job)
      while let chunk = queue.next() {
        let samples = job.chunks.samples(of: chunk)
        worker.solve(samples)
        if job.keepsFractions {
          fractions.withLock { $0.replaceSubrange(samples, with: worker.acceptedFractions()) }
        }
      }
    }
    return fractions.withLock { $0 }
  }

  private func runEvaluation<V: LaneVector>(_ job: SolveJob<Scalar>, as _: V.Type) where V.Scalar == Scalar {
    Workers.run(chunks: job.chunks.chunks, threads: threads) { queue in
      let worker = ChunkEvaluation<V>(job: job)
      while let chunk = queue.next() { worker.evaluate(job.chunks.samples(of: chunk)) }
    }
  }

  private func runGradient<V: LaneVector>(_ job: SolveJob<Scalar>, as _: V.Type) -> [Scalar] where V.Scalar == Scalar {
    let sums = (0..<job.chunks.chunks).map { _ in GradientSums<V>(plan: plan, traceShape: job.weights.traceShape) }
    Workers.run(chunks: sums.count, threads: threads) { queue in
      let worker = ChunkWorker<V>(job: job)
      while let chunk = queue.next() { worker.differentiate(job.chunks.samples(of: chunk), into: sums[chunk]) }
    }
    return parameterGradient(of: sums, job)
  }

  private func runFieldGradient<V: LaneVector>(
    _ job: SolveJob<Scalar>, as _: V.Type
  ) -> [Scalar] where V.Scalar == Scalar {
    let sums = (0..<job.chunks.chunks).map { _ in GradientSums<V>(plan: plan, traceShape: job.weights.traceShape) }
    Workers.run(chunks: sums.count, threads: threads) { queue in
      guard let worker = ChunkFieldGradient<V>(job: job) else { return }
      while let chunk = queue.next() { worker.differentiate(job.chunks.samples(of: chunk), into: sums[chunk]) }
    }
    return parameterGradient(of: sums, job)
  }

  private func parameterGradient<V: LaneVector>(
    of sums: [GradientSums<V>], _ job: SolveJob<Scalar>
  ) -> [Scalar] where V.Scalar == Scalar {
    // Adds in a fixed tree, first neighbours, then pairs of neighbours, whichever thread computed them.
    var stride = 1
    while stride < sums.count {
      for left in Swift.stride(from: 0, to: sums.count - stride, by: 2 * stride) { sums[left].add(sums[left + stride]) }
      stride *= 2
    }
    guard let total = sums.first else { return [Scalar](repeating: 0, count: plan.parameterCount) }
    var (gradient, traceGradient) = total.flatten(plan: plan, traceShape: job.weights.traceShape)
    job.weights.product?.addGradient(of: traceGradient, parameters: job.problem.parameters, to: &gradient)
    return gradient
  }
}
