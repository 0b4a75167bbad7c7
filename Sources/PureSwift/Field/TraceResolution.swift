import FieldPrograms

/// The trace that is used for a program, and its cost per evaluation in multiply-adds.
///
/// With S = Σ rows · columns over the linear operations, the transposed ones and the callbacks: K probes cost K · S, D
/// tangents D · S, the product form its M.
struct TraceResolution: Sendable {
  /// `.none`, `.hutchinson`, `.exactTangents` or `.exactProduct`.
  let trace: Trace
  /// Present if the trace is `.exactProduct`.
  let product: ProductForm?

  /// - Throws: `PureSwiftError.traceDoesNotFit` if the product form is explicitly chosen and does not fit;
  ///   `.traceHasNoTangents` if the Frobenius norm is wanted and the explicitly chosen trace computes no tangents;
  ///   `.traceDoesNotFitMethod` if a Rosenbrock method, which takes unit vectors for its J, is to use another trace.
  init(
    _ program: FieldProgram, _ options: SolverOptions, _ scheme: StepScheme, method: String
  ) throws(PureSwiftError) {
    let wantsTangents = options.integratesFrobeniusNorm
    if wantsTangents && (options.trace == .none || options.trace == .exactProduct) {
      throw .traceHasNoTangents(options.trace)
    }
    if scheme.isRosenbrock {
      if options.trace == .hutchinson || options.trace == .exactProduct {
        throw .traceDoesNotFitMethod(options.trace, method: method)
      }
      trace = options.trace == .none ? .none : .exactTangents
      product = nil
      return
    }
    let form = wantsTangents ? nil : ProductForm(program)
    let pass =
      program.linearLayouts.reduce(0) { $0 + $1.rows * $1.columns }
      + program.callbackLayouts.reduce(0) { $0 + $1.rows * $1.columns } + program.transposedProducts
    let tangents = program.stateDimension * pass
    let product = form.map { $0.cost(in: program) }
    let exact: Trace = if let product, product <= tangents { .exactProduct } else { .exactTangents }
    switch options.trace {
    case .none, .hutchinson, .exactTangents: trace = options.trace
    case .exact: trace = exact
    case .exactProduct:
      if form == nil { throw .traceDoesNotFit(.exactProduct) }
      trace = .exactProduct
    case .automatic:
      let cheapest = min(tangents, product ?? tangents)
      trace = cheapest <= 2 * options.probeCount * pass ? exact : .hutchinson
    }
    self.product = trace == .exactProduct ? form : nil
  }
}
