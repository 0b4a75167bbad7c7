import CNFKernels

/// How long one of the C kernels takes on one tile, measured after its result was found to be that of the generic kernels.
public struct KernelMeasurement: Sendable {
  /// The kernels that can be measured.
  public static let names: [String] = (0..<cnf_kernel_count()).map { String(cString: cnf_kernel_name($0)) }

  /// Those of them that work on `Scalar`: double has no products of bfloat16.
  public static func names<Scalar: FlowScalar>(of _: Scalar.Type) -> [String] {
    names.filter { Scalar.self == Float.self || !$0.hasSuffix("_bf16") }
  }

  public let name: String
  public let instructionSet: InstructionSet
  /// Samples of a tile.
  public let laneCount: Int
  /// Of a call: the median of the samples.
  public let seconds: Double
  /// The lower and the upper quartile of the samples.
  public let quartiles: ClosedRange<Double>
  public let samples: Int
  /// Floating-point operations of a call where it is a product; else nil.
  public let operations: Double?
  /// Numbers that a call walks: its panel, or its weights.
  public let elements: Double

  public var nanosecondsPerElement: Double { seconds * 1e9 / elements }
  /// Nil where operations are not counted.
  public var operationsPerSecond: Double? { operations.map { $0 / seconds } }

  /// How much of `peak`, operations per second of one thread, the kernel reaches; nil where operations are not counted.
  public func fraction(ofPeak peak: Double) -> Double? { operationsPerSecond.map { $0 / peak } }

  /// Measures the kernel of this name on a layer of `rows` × `columns` (1 to 8192 each), its operands in cache, on this thread.
  ///
  /// - Parameters:
  ///   - name: one of `names(of:)`; another is a programmer's error.
  ///   - seconds: about how long to measure; above 0, at most 3600.
  /// - Throws: `KernelError` where an argument is out of range, the machine lacks the instruction set, or the result is wrong.
  public init<Scalar: FlowScalar>(
    of name: String, _: Scalar.Type, instructionSet: InstructionSet, rows: Int, columns: Int, seconds: Double
  ) throws(KernelError) {
    guard let number = Self.names.firstIndex(of: name), Self.names(of: Scalar.self).contains(name) else {
      preconditionFailure("no kernel is called '\(name)'")
    }
    var measure = cnf_kernel_measure()
    measure.struct_size = MemoryLayout<cnf_kernel_measure>.size
    let status = cnf_measure_kernel(
      Int32(number), try CType.of(Scalar.self), instructionSet.rawValue, Int32(clamping: rows),
      Int32(clamping: columns), seconds, &measure)
    try KernelError.check(
      status, "measurement of \(name) (\(instructionSet), \(Scalar.self)) on \(rows) × \(columns) for \(seconds) s")
    self.name = name
    self.instructionSet = InstructionSet(rawValue: measure.isa) ?? instructionSet
    laneCount = Int(measure.lanes)
    self.seconds = measure.seconds
    quartiles = measure.seconds_low...measure.seconds_high
    samples = Int(measure.samples)
    operations = measure.flops > 0 ? measure.flops : nil
    elements = measure.elements
  }
}

extension Machine {
  /// Floating-point operations per second of one thread at most, a multiply-add being two.
  ///
  /// - Throws: `KernelError` where `seconds` is not above 0 and at most 3600, or the machine lacks the instruction set.
  public static func measurePeak<Scalar: FlowScalar>(
    _: Scalar.Type, instructionSet: InstructionSet = .automatic, seconds: Double
  ) throws(KernelError) -> Double {
    var peak = 0.0
    let status = cnf_measure_peak(try CType.of(Scalar.self), instructionSet.rawValue, seconds, &peak)
    try KernelError.check(status, "measurement of the peak (\(instructionSet), \(Scalar.self)) for \(seconds) s")
    return peak
  }
}
