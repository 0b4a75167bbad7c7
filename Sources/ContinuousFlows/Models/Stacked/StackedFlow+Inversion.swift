extension StackedFlow: InvertibleFlow {
  /// The error of a round trip from samples of the data to the base and back, with a solve of each block; as
  /// `ContinuousFlow.inversionError`.
  public func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    let solver = try StackedSolver<Scalar>(of: self, options: options, backend: backend)
    let states = transform.forward(samples.values)
    var call = call(states, count: samples.count, seed: seed, identifiers: identifiers, context: context, scalar)
    let there = try solver.solveToBase(call)
    call.states = there.states
    return InversionError(from: states.map { Scalar($0) }, there: there, back: try solver.solveToData(call))
  }

  /// The error of a round trip from samples of the base, as `samples` draws them, to the data and back.
  public func inversionErrorOfSamples<Scalar: FlowScalar>(
    count: Int, seed: UInt64, options: SolverOptions = SolverOptions(), backend: Backend = .c,
    context: SampleMatrix? = nil, scalar: Scalar.Type = Float.self
  ) throws -> InversionError {
    let solver = try StackedSolver<Scalar>(of: self, options: options, backend: backend)
    let states = base.samples(count: count, dimension: dimension, seed: seed).values
    var call = call(states, count: count, seed: seed, identifiers: nil, context: context, scalar)
    let there = try solver.solveToData(call)
    call.states = there.states
    return InversionError(from: states.map { Scalar($0) }, there: there, back: try solver.solveToBase(call))
  }

  /// Jacobians of the map from data to base in Double: the product of the blocks' Jacobians, each from D reverse
  /// solves; as `ContinuousFlow.jacobians`.
  public func jacobians(
    of samples: SampleMatrix, options: SolverOptions = SolverOptions(), backend: Backend = .c, seed: UInt64 = 0,
    identifiers: [UInt64]? = nil, context: SampleMatrix? = nil
  ) throws -> FlowJacobians {
    let solver = try StackedSolver<Double>(of: self, options: options, backend: backend)
    let call = call(
      transform.forward(samples.values), count: samples.count, seed: seed, identifiers: identifiers, context: context,
      Double.self)
    let (solution, jacobians) = try solver.jacobiansToBase(call)
    return FlowJacobians(
      jacobians, latent: solution.states, integrated: solution.logDeterminants, statuses: solution.statuses,
      base: base, transformed: transform.logDeterminants(samples.values))
  }

  private func call<Scalar: FlowScalar>(
    _ states: [Float], count: Int, seed: UInt64, identifiers: [UInt64]?, context: SampleMatrix?, _: Scalar.Type
  ) -> StackedSolver<Scalar>.Call {
    checkContext(context, count: count)
    return StackedSolver<Scalar>.Call(
      parameters: parameters.map { Scalar($0) }, states: states.map { Scalar($0) }, seed: seed,
      identifiers: identifiers, context: seenContext(context?.values ?? []).map { Scalar($0) })
  }
}

extension StackedSolver where Scalar == Double {
  /// Solves from the data to the base and returns `∂z/∂x` as well, `[count][D][D]`: `∂z/∂x = J₀ J₁ … J_{K−1}`, J_k of
  /// block k from T to 0.
  fileprivate func jacobiansToBase(_ call: Call) throws -> (solution: Solution<Double>, jacobians: [Double]) {
    let dimension = programs[0].stateDimension
    var (whole, product): (Solution<Double>?, [Double]) = (nil, [])
    for block in programs.indices.reversed() {
      let problem = problem(call, whole?.states ?? call.states, block: block, from: endTime, to: 0)
      let solution = try solvers[block].solve(problem)
      let own = try solvers[block].jacobians(at: problem, of: solution, dimension: dimension)
      let shifted = solution.shifted(by: Double(block) * endTime)
      if whole == nil {
        (whole, product) = (shifted, own)
      } else {
        whole?.append(shifted)
        product = products(of: own, and: product, dimension: dimension)
      }
    }
    guard let whole else { preconditionFailure("a stacked flow without blocks") }
    return (whole, product)
  }

  /// `A B` of every sample, `[count][D][D]` each.
  private func products(of a: [Double], and b: [Double], dimension: Int) -> [Double] {
    var product = [Double](repeating: 0, count: a.count)
    for index in product.indices {
      let (row, column) = (index - index % dimension, index % dimension)
      let first = row / (dimension * dimension) * dimension * dimension + column
      product[index] = (0..<dimension).reduce(0) { $0 + a[row + $1] * b[first + $1 * dimension] }
    }
    return product
  }
}
