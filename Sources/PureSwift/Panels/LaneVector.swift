import FieldPrograms

/// A vector of neighbouring lanes of a panel; everything below the public solver is generic over it.
///
/// Always 32 bytes: eight floats or four doubles. Eight of them as accumulators of `multiply` then fill half of the
/// sixteen registers of SSE2, and leave room for operands; wider instruction sets hold one in one register.
protocol LaneVector: SIMD, SendableMetatype where Scalar: FlowScalar {}

extension SIMD4: LaneVector where Scalar: FlowScalar {}
extension SIMD8: LaneVector where Scalar: FlowScalar {}

extension LaneVector {
  /// Scalars become vectors by this name in formulas.
  @inline(__always)
  init(_ value: Double) { self.init(repeating: Scalar(value)) }
}
