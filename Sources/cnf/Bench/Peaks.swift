import ContinuousFlows
import FlowIO

/// The machine's peaks, measured once for each instruction set and precision that is asked for.
final class Peaks {
  private let seconds: Double
  private var measured: [(instructionSet: InstructionSet, precision: String, operationsPerSecond: Double)] = []

  init(seconds: Double) { self.seconds = seconds }

  /// Operations per second of one thread.
  func peak<Scalar: FlowScalar>(_: Scalar.Type, _ instructionSet: InstructionSet) throws -> Double {
    let precision = Self.name(of: Scalar.self)
    if let known = measured.first(where: { $0.instructionSet == instructionSet && $0.precision == precision }) {
      return known.operationsPerSecond
    }
    let peak = try Machine.measurePeak(Scalar.self, instructionSet: instructionSet, seconds: seconds)
    measured.append((instructionSet, precision, peak))
    return peak
  }

  var json: JSONValue {
    .array(
      measured.map {
        [
          "isa": .string($0.instructionSet.description), "dtype": .string($0.precision),
          "gflops_per_thread": .number($0.operationsPerSecond * 1e-9),
        ]
      })
  }

  /// "float32" or "float64".
  static func name<Scalar: FlowScalar>(of _: Scalar.Type) -> String { "float\(8 * MemoryLayout<Scalar>.size)" }
}
