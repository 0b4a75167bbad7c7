import CNFKernels

/// The time of one C kernel on one tile of samples.
///
/// Before it is timed, the kernel's result is checked against that of the generic kernels.
public struct KernelMeasurement: Sendable {
  /// The kernels that can be measured.
  public static let names: [String] = (0..<cnf_kernel_count()).map { String(cString: cnf_kernel_name($0)) }

  /// The kernels that work on `Scalar`. Only `Float` has products of bfloat16.
  public static func names<Scalar: FlowScalar>(of _: Scalar.Type) -> [String] {
    names.filter { Scalar.self == Float.self || !$0.hasSuffix("_bf16") }
  }

  public let name: String
  public let instructionSet: InstructionSet
  /// The number of samples in a tile.
  public let laneCount: Int
  /// The median of the measured times of a call, in seconds.
  public let seconds: Double
  /// The lower and the upper quartile of the measured times, in seconds.
  public let quartiles: ClosedRange<Double>
  /// The number of measured times.
  public let samples: Int
  /// The floating-point operations of a call if it is a matrix product; nil for other kernels.
  public let operations: Double?
  /// The numbers that a call processes: those of its panel, or its weights.
  public let elements: Double

  public var nanosecondsPerElement: Double { seconds * 1e9 / elements }
  /// Floating-point operations per second; nil if the kernel is not a matrix product.
  public var operationsPerSecond: Double? { operations.map { $0 / seconds } }

  /// The fraction of `peak` (operations per second of one thread) that the kernel reaches; nil if it is not a matrix
  /// product.
  public func fraction(ofPeak peak: Double) -> Double? { operationsPerSecond.map { $0 / peak } }

  /// Measures the kernel `name` on a layer of `rows` × `columns` (1 to 8192 each), on this thread and with its operands
  /// in cache.
  ///
  /// - Parameters:
  ///   - name: one of `names(of:)`. Another name is a programming error.
  ///   - seconds: the approximate duration of the measurement; above 0, at most 3600.
  /// - Throws: `KernelError` if an argument is out of range, the machine lacks the instruction set, or the kernel's
  ///   result is wrong.
  public init<Scalar: FlowScalar>(
    of name: String, _: Scalar.Type, instructionSet: InstructionSet, rows: Int, columns: Int, seconds: Double
  ) throws(KernelError) {
    guard let number = Self.names.firstIndex(of: name), Self.names(of: Scalar.self).contains(name) else {
      preconditionFailure(
        "there is no kernel '\(name)' of \(Scalar.self); the kernels are: \(Self.names(of: Scalar.self))")
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
  /// Measures the highest number of floating-point operations per second that one thread reaches. A multiply-add counts
  /// as two.
  ///
  /// - Parameter seconds: the approximate duration of the measurement.
  /// - Throws: `KernelError` if `seconds` is not above 0 and at most 3600, or the machine lacks the instruction set.
  public static func measurePeak<Scalar: FlowScalar>(
    _: Scalar.Type, instructionSet: InstructionSet = .automatic, seconds: Double
  ) throws(KernelError) -> Double {
    var peak = 0.0
    let status = cnf_measure_peak(try CType.of(Scalar.self), instructionSet.rawValue, seconds, &peak)
    try KernelError.check(status, "measurement of the peak (\(instructionSet), \(Scalar.self)) for \(seconds) s")
    return peak
  }
}
