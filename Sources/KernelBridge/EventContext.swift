import CNFKernels

/// The object that `cnf_event.context` points at: it passes calls of the C library on to an event's functions.
///
/// `CallbackContext` says why it is a class with one subclass. C has states feature-major, `[D][lanes]`; the event's
/// functions get the state `[D]` of one lane at a time.
class EventContext: @unchecked Sendable {
  fileprivate func evaluate(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ g: UnsafeMutablePointer<Double>
  ) { fatalError("abstract") }
  fileprivate func reverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ slopes: UnsafeMutableRawPointer,
    _ timeSlopes: UnsafeMutablePointer<Double>
  ) { fatalError("abstract") }

  fileprivate static func at(_ context: UnsafeMutableRawPointer?) -> EventContext {
    Unmanaged<EventContext>.fromOpaque(context!).takeUnretainedValue()
  }
}

final class TypedEventContext<Scalar: FlowScalar>: EventContext, @unchecked Sendable {
  private let event: SolveEvent<Scalar>
  private let dimension: Int

  init(_ event: SolveEvent<Scalar>, dimension: Int) {
    self.event = event
    self.dimension = dimension
  }

  /// The event as a C struct. This object must outlive the call.
  var c: cnf_event {
    var c = cnf_event()
    c.struct_size = MemoryLayout<cnf_event>.size
    c.context = Unmanaged<EventContext>.passUnretained(self).toOpaque()
    c.evaluate = { EventContext.at($0).evaluate($1, $2!, $3!, $4!) }
    if event.gradient != nil { c.reverse = { EventContext.at($0).reverse($1, $2!, $3!, $4!, $5!) } }
    c.direction = event.direction.rawValue
    c.tolerance = event.tolerance ?? 0
    return c
  }

  /// Calls `body` for each lane with its state `[D]` and a zeroed buffer `[D]`.
  private func forEachLane(
    _ lanes: Int, _ x: UnsafeRawPointer,
    _ body: (Int, UnsafeBufferPointer<Scalar>, UnsafeMutableBufferPointer<Scalar>) -> Void
  ) {
    let states = x.assumingMemoryBound(to: Scalar.self)
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * dimension) { memory in
      let state = UnsafeMutableBufferPointer(rebasing: memory[..<dimension])
      let output = UnsafeMutableBufferPointer(rebasing: memory[dimension...])
      for lane in 0..<lanes {
        for row in 0..<dimension { state.initializeElement(at: row, to: states[row * lanes + lane]) }
        output.initialize(repeating: 0)
        body(lane, UnsafeBufferPointer(state), output)
      }
    }
  }

  fileprivate override func evaluate(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ g: UnsafeMutablePointer<Double>
  ) {
    forEachLane(Int(lanes), x) { lane, state, _ in g[lane] = event.value(t[lane], state.span) }
  }

  fileprivate override func reverse(
    _ lanes: Int32, _ t: UnsafePointer<Double>, _ x: UnsafeRawPointer, _ slopes: UnsafeMutableRawPointer,
    _ timeSlopes: UnsafeMutablePointer<Double>
  ) {
    let lanes = Int(lanes)
    let panel = slopes.assumingMemoryBound(to: Scalar.self)
    forEachLane(lanes, x) { lane, state, slope in
      var span = slope.mutableSpan
      timeSlopes[lane] = event.gradient!(t[lane], state.span, &span)
      for row in 0..<dimension { panel[row * lanes + lane] = slope[row] }
    }
  }
}
