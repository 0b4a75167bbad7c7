import CNFKernels

/// The object that `cnf_callback.context` points at: it passes calls of the C library on to a callback's functions.
///
/// C function pointers cannot be generic, so they call this class, whose one subclass knows the scalar type. It is
/// `@unchecked Sendable` because an instance never changes and all its properties are `Sendable`.
class CallbackContext: @unchecked Sendable {
  fileprivate func evaluate(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ y: UnsafeMutableRawPointer
  ) { fatalError("abstract") }
  fileprivate func tangent(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ xDot: UnsafeRawPointer, _ yDot: UnsafeMutableRawPointer
  ) { fatalError("abstract") }
  fileprivate func reverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ yBar: UnsafeRawPointer, _ xBar: UnsafeMutableRawPointer, _ tBar: UnsafeMutableRawPointer,
    _ thetaBar: UnsafeMutableRawPointer?
  ) { fatalError("abstract") }
  fileprivate func tangentReverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ xDot: UnsafeRawPointer, _ yDotBar: UnsafeRawPointer, _ xBar: UnsafeMutableRawPointer,
    _ xDotBar: UnsafeMutableRawPointer, _ tBar: UnsafeMutableRawPointer, _ thetaBar: UnsafeMutableRawPointer?
  ) { fatalError("abstract") }

  fileprivate static func at(_ context: UnsafeMutableRawPointer?) -> CallbackContext {
    Unmanaged<CallbackContext>.fromOpaque(context!).takeUnretainedValue()
  }
}

/// The functions of one callback for one scalar type.
final class TypedCallbackContext<Scalar: FlowScalar>: CallbackContext, @unchecked Sendable {
  private let functions: FieldCallback.Functions<Scalar>
  private let rows: Int
  private let columns: Int
  private let parameterCount: Int

  init(_ layout: FieldProgram.CallbackLayout, _ functions: FieldCallback.Functions<Scalar>) {
    self.functions = functions
    rows = layout.rows
    columns = layout.columns
    parameterCount = layout.callback.parameterCount
  }

  /// The callback as a C struct. This object must outlive the solvers of the field, so the handles keep it.
  var callback: cnf_callback {
    var c = cnf_callback()
    c.struct_size = MemoryLayout<cnf_callback>.size
    c.context = Unmanaged<CallbackContext>.passUnretained(self).toOpaque()
    c.parameter_count = parameterCount
    c.evaluate = { CallbackContext.at($0).evaluate($1, $2!, $3!, $4, $5!) }
    if functions.tangent != nil { c.tangent = { CallbackContext.at($0).tangent($1, $2!, $3!, $4, $5!, $6!) } }
    if functions.reverse != nil {
      c.reverse = { CallbackContext.at($0).reverse($1, $2!, $3!, $4, $5!, $6!, $7!, $8) }
    }
    if functions.tangentReverse != nil {
      c.tangent_reverse = { CallbackContext.at($0).tangentReverse($1, $2!, $3!, $4, $5!, $6!, $7!, $8!, $9!, $10) }
    }
    return c
  }

  private func read(_ pointer: UnsafeRawPointer?, _ count: Int) -> UnsafeBufferPointer<Scalar> {
    UnsafeBufferPointer(start: pointer?.assumingMemoryBound(to: Scalar.self), count: pointer == nil ? 0 : count)
  }
  private func write(_ pointer: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeMutableBufferPointer<Scalar> {
    UnsafeMutableBufferPointer(
      start: pointer?.assumingMemoryBound(to: Scalar.self), count: pointer == nil ? 0 : count)
  }

  fileprivate override func evaluate(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ y: UnsafeMutableRawPointer
  ) {
    let lanes = Int(lanes)
    let output = write(y, rows * lanes)
    var outputSpan = output.mutableSpan
    functions.evaluate(
      lanes, UnsafeBufferPointer(start: t, count: lanes).span, read(x, columns * lanes).span,
      read(theta, parameterCount).span, &outputSpan)
  }

  fileprivate override func tangent(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ xDot: UnsafeRawPointer, _ yDot: UnsafeMutableRawPointer
  ) {
    let lanes = Int(lanes)
    let output = write(yDot, rows * lanes)
    var outputSpan = output.mutableSpan
    functions.tangent!(
      lanes, UnsafeBufferPointer(start: t, count: lanes).span, read(x, columns * lanes).span,
      read(theta, parameterCount).span,
      read(xDot, columns * lanes).span, &outputSpan)
  }

  fileprivate override func reverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ yBar: UnsafeRawPointer, _ xBar: UnsafeMutableRawPointer, _ tBar: UnsafeMutableRawPointer,
    _ thetaBar: UnsafeMutableRawPointer?
  ) {
    let lanes = Int(lanes)
    let (states, times) = (write(xBar, columns * lanes), write(tBar, lanes))
    let sums = write(thetaBar, parameterCount)
    var stateSpan = states.mutableSpan
    var timeSpan = times.mutableSpan
    var sumSpan = sums.mutableSpan
    functions.reverse!(
      lanes, UnsafeBufferPointer(start: t, count: lanes).span, read(x, columns * lanes).span,
      read(theta, parameterCount).span,
      read(yBar, rows * lanes).span, &stateSpan, &timeSpan, &sumSpan)
  }

  fileprivate override func tangentReverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ theta: UnsafeRawPointer?,
    _ xDot: UnsafeRawPointer, _ yDotBar: UnsafeRawPointer, _ xBar: UnsafeMutableRawPointer,
    _ xDotBar: UnsafeMutableRawPointer, _ tBar: UnsafeMutableRawPointer, _ thetaBar: UnsafeMutableRawPointer?
  ) {
    let lanes = Int(lanes)
    let (states, tangents) = (write(xBar, columns * lanes), write(xDotBar, columns * lanes))
    let (times, sums) = (write(tBar, lanes), write(thetaBar, parameterCount))
    var stateSpan = states.mutableSpan
    var tangentSpan = tangents.mutableSpan
    var timeSpan = times.mutableSpan
    var sumSpan = sums.mutableSpan
    functions.tangentReverse!(
      lanes, UnsafeBufferPointer(start: t, count: lanes).span, read(x, columns * lanes).span,
      read(theta, parameterCount).span,
      read(xDot, columns * lanes).span, read(yDotBar, rows * lanes).span, &stateSpan, &tangentSpan, &timeSpan, &sumSpan)
  }
}
