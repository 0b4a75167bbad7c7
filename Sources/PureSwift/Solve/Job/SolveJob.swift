import FieldPrograms

/// One call: the inputs that all workers read, and the arrays they fill, each worker for its own samples.
final class SolveJob<Scalar: FlowScalar>: Sendable {
  let problem: SolveProblem<Scalar>
  let plan: FieldPlan
  let weights: FieldWeights<Scalar>
  let resolution: TraceResolution
  let options: SolverOptions
  let table: StageTable<Scalar>
  let scheme: StepScheme
  /// nil for fixed steps.
  let controller: ErrorControl?
  /// The error control of the continuous adjoint, over the rows of the state and of its cotangent; nil for fixed steps.
  let backwardController: ErrorControl?
  /// The error control that ends an implicit Adams method's iteration.
  let iteration: ErrorControl
  /// The ends of steps as fractions of each interval, from 0 to 1; empty for adaptive steps.
  let fractions: [Double]
  let count: Int
  /// Number of output times of each sample.
  let timeCount: Int
  /// Vectors of a tile's row. A tile has at most 32 lanes, and no more than the batch fills.
  let groups: Int
  let chunks: ChunkPlan
  /// nil where no gradient is wanted.
  let loss: Loss<Scalar>?
  let regularisation: Regularisation
  let keepsFractions: Bool
  /// The loss of the field itself; nil if another loss is differentiated.
  let fieldLoss: FieldLoss<Scalar>?

  let states: SharedArray<Scalar>
  let logDeterminants: SharedArray<Double>
  let times: SharedArray<Double>
  let statuses: SharedArray<Int32>
  let accepted: SharedArray<Int>
  let rejected: SharedArray<Int>
  let evaluations: SharedArray<Int>
  let smallestSteps: SharedArray<Double>
  let adjointEvaluations: SharedArray<Int>
  /// Empty where they are not integrated.
  let kineticEnergies: SharedArray<Double>
  let frobeniusNorms: SharedArray<Double>
  /// `∂L/∂x(t0)` `[count][D]`, and each sample's share of the times' gradients.
  let stateGradients: SharedArray<Scalar>
  let startTimeGradients: SharedArray<Double>
  let endTimeGradients: SharedArray<Double>
  let losses: SharedArray<Double>
  /// `∂L/∂context` `[count][C]`.
  let contextGradients: SharedArray<Scalar>
  /// At the output times, `[count][times][D]` and `[count][times]`, NaN where not reached; and the times' gradients.
  let statesAtTimes: SharedArray<Scalar>
  let logDeterminantsAtTimes: SharedArray<Double>
  let outputTimeGradients: SharedArray<Double>

  init(
    problem: SolveProblem<Scalar>, plan: FieldPlan, weights: FieldWeights<Scalar>, resolution: TraceResolution,
    options: SolverOptions, scheme: StepScheme, table: StageTable<Scalar>, lanesPerVector: Int, loss: Loss<Scalar>?,
    regularisation: Regularisation, keepsFractions: Bool, fieldLoss: FieldLoss<Scalar>? = nil
  ) {
    self.problem = problem
    self.plan = plan
    self.weights = weights
    self.resolution = resolution
    self.options = options
    self.table = table
    self.loss = loss
    self.regularisation = regularisation
    self.keepsFractions = keepsFractions
    self.fieldLoss = fieldLoss
    self.scheme = scheme
    let rows = plan.stateDimension
    let order = min(table.order, table.embeddedOrder) + 1
    let includes =
      resolution.trace != .none && options.errorNormIncludesLogDeterminant && !scheme.isRosenbrock
    iteration = ErrorControl(
      options, rtol: options.iterationRtol, atol: options.iterationAtol, rows: rows, norm: .maximum, errorOrder: order,
      includesLogDeterminant: resolution.trace != .none && options.errorNormIncludesLogDeterminant,
      smallestRtol: Double(Scalar.ulpOfOne))
    switch options.control {
    case .perSample(let rtol, let atol), .batch(let rtol, let atol):
      let isLimited = options.maximumStep == nil && plan.readsTime
      let forward = ErrorControl(
        options, rtol: rtol, atol: atol, rows: rows, norm: options.errorNorm, errorOrder: order,
        includesLogDeterminant: includes, smallestRtol: Double(Scalar.ulpOfOne),
        timeRate: isLimited ? plan.timeRate(problem.parameters) : 0)
      controller = forward
      backwardController = forward.forBackward(options.adjoint, rows: rows)
      fractions = []
    case .fixed(let steps):
      controller = nil
      backwardController = nil
      fractions = problem.stepFractions ?? (0...steps).map { Double($0) / Double(steps) }
    }
    let count = problem.states.count / plan.stateDimension
    self.count = count
    timeCount = problem.outputTimeCount(sampleCount: count)
    groups = max(1, min(32, count) / lanesPerVector + (min(32, count) % lanesPerVector == 0 ? 0 : 1))
    chunks = ChunkPlan(count: count, lanes: groups * lanesPerVector)
    states = SharedArray(repeating: 0, count: problem.states.count)
    logDeterminants = SharedArray(repeating: 0, count: count)
    times = SharedArray(repeating: problem.startTime, count: count)
    statuses = SharedArray(repeating: SampleStatus.ok.rawValue, count: count)
    accepted = SharedArray(repeating: 0, count: count)
    rejected = SharedArray(repeating: 0, count: count)
    evaluations = SharedArray(repeating: 0, count: count)
    smallestSteps = SharedArray(repeating: 0, count: count)
    adjointEvaluations = SharedArray(repeating: 0, count: count)
    kineticEnergies = SharedArray(repeating: 0, count: options.integratesKineticEnergy ? count : 0)
    frobeniusNorms = SharedArray(repeating: 0, count: options.integratesFrobeniusNorm ? count : 0)
    let differentiated = loss == nil && fieldLoss == nil ? 0 : count
    stateGradients = SharedArray(repeating: 0, count: differentiated * plan.stateDimension)
    startTimeGradients = SharedArray(repeating: 0, count: differentiated)
    endTimeGradients = SharedArray(repeating: 0, count: differentiated)
    losses = SharedArray(repeating: .nan, count: differentiated)
    contextGradients = SharedArray(repeating: 0, count: differentiated * plan.contextDimension)
    let times = count * timeCount
    statesAtTimes = SharedArray(repeating: .nan, count: times * plan.stateDimension)
    logDeterminantsAtTimes = SharedArray(repeating: .nan, count: times)
    outputTimeGradients = SharedArray(repeating: 0, count: loss == nil ? 0 : times)
  }

  var solution: Solution<Scalar> {
    Solution(
      states: states.array, logDeterminants: logDeterminants.array, timesReached: times.array,
      statuses: statuses.array.map { SampleStatus(rawValue: $0) ?? .notFinite }, acceptedSteps: accepted.array,
      rejectedSteps: rejected.array, evaluations: evaluations.array, smallestSteps: smallestSteps.array,
      adjointEvaluations: adjointEvaluations.array, kineticEnergies: kineticEnergies.array,
      frobeniusNorms: frobeniusNorms.array, statesAtTimes: statesAtTimes.array,
      logDeterminantsAtTimes: logDeterminantsAtTimes.array)
  }

  /// Whether a step is needed for a sample's time span: for a span of length 0 only if output times or derivatives need
  /// it.
  func hasSteps(_ sample: Int) -> Bool {
    controller == nil || loss != nil || timeCount > 0
      || problem.startTime(of: sample) != problem.endTime(of: sample)
  }

  /// −1 where the sample runs backward in time: the regularisers are integrals over |dt|.
  func direction(of sample: Int) -> Double {
    problem.endTime(of: sample) < problem.startTime(of: sample) ? -1 : 1
  }

  /// Loads ε of one sample into its lane of `probes` `[K · D][lanes]`: given, or drawn with the sample's identifier as
  /// key.
  func loadProbes<V: LaneVector>(of sample: Int, into probes: Panel<V>, lane: Int) where V.Scalar == Scalar {
    if let given = problem.probes {
      for row in 0..<probes.rows { probes[row, lane: lane] = given[sample * probes.rows + row] }
      return
    }
    let source = RandomSource(seed: problem.seed, stream: .probe, step: problem.step)
    let identifier = problem.sampleIdentifiers?[sample] ?? UInt64(sample)
    switch options.probe {
    case .gaussian:
      for row in 0..<probes.rows { probes[row, lane: lane] = Scalar(source.normal(sample: identifier, dimension: row)) }
    case .rademacher:
      var words = SIMD4<UInt32>()
      for row in 0..<probes.rows {
        if row % 4 == 0 { words = source.words(sample: identifier, block: UInt32(row / 4)) }
        probes[row, lane: lane] = words[row % 4] >> 31 == 1 ? 1 : -1
      }
    }
  }

  /// Loads the inputs of one sample into its lane: its context, and its dropout masks, which are drawn again whenever
  /// the sample is bound to a lane.
  func loadInputs<V: LaneVector>(of sample: Int, into evaluator: FieldEvaluator<V>, lane: Int)
  where V.Scalar == Scalar {
    let rows = plan.contextDimension
    for row in 0..<rows { evaluator.context[row, lane: lane] = problem.context[sample * rows + row] }
    let source = RandomSource(seed: problem.seed, stream: .dropout, step: problem.step)
    let identifier = problem.sampleIdentifiers?[sample] ?? UInt64(sample)
    for layout in plan.dropouts {
      for row in layout.firstMaskRow..<layout.firstMaskRow + layout.rows {
        let drops = problem.dropoutIsActive && source.uniform(sample: identifier, dimension: row) < layout.rate
        evaluator.masks[row, lane: lane] =
          drops ? 0 : problem.dropoutIsActive ? Scalar(1 / (1 - layout.rate)) : 1
      }
    }
  }
}
