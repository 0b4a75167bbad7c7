import CNFKernels

/// An event's functions as the C library calls them: the object that its `context` points at (`CallbackContext` says why it
/// is a class with one subclass). C has states feature-major; each lane's is handed over as one row.
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

  /// As C takes it. This object has to outlive the call.
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

  /// Calls `body` with each lane's state, and room for as many numbers again.
  private func forEachLane(
    _ lanes: Int, _ x: UnsafeRawPointer,
    _ body: (Int, UnsafeBufferPointer<Scalar>, UnsafeMutableBufferPointer<Scalar>) -> Void
  ) {
    let states = x.assumingMemoryBound(to: Scalar.self)
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * dimension) { room in
      let state = UnsafeMutableBufferPointer(rebasing: room[..<dimension])
      let other = UnsafeMutableBufferPointer(rebasing: room[dimension...])
      for lane in 0..<lanes {
        for row in 0..<dimension { state.initializeElement(at: row, to: states[row * lanes + lane]) }
        other.initialize(repeating: 0)
        body(lane, UnsafeBufferPointer(state), other)
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
