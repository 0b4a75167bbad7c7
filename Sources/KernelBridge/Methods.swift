import CNFKernels

/// The integration methods. They are read from the C library, which has the only copy of their coefficients.
public enum Methods {
  /// Every method, in the order of the C library.
  public static let all: [ButcherTableau] = (0..<cnf_method_count()).map(tableau)

  /// The explicit Runge-Kutta methods.
  public static let rungeKutta = all.filter { $0.family == .rungeKutta }

  /// The method of this name.
  ///
  /// - Throws: `KernelError.unknownMethod` with similar names.
  public static func named(_ name: String) throws(KernelError) -> ButcherTableau {
    all[Int(try index(of: name))]
  }

  /// All names of methods, including aliases such as heun for heun2.
  public static let names: [String] = all.flatMap { [$0.name] + ($0.alias.map { [$0] } ?? []) }

  /// The method's number in the C library.
  static func index(of name: String) throws(KernelError) -> Int32 {
    let index = cnf_method_find(name)
    guard index >= 0 else {
      throw .unknownMethod(name: name, suggestions: Suggestion.near(name, among: names), known: names)
    }
    return index
  }

  private static func family(_ family: Int32) -> MethodFamily {
    switch UInt32(bitPattern: family) {
    case CNF_FAMILY_RUNGE_KUTTA.rawValue: .rungeKutta
    case CNF_FAMILY_EXPLICIT_ADAMS.rawValue: .explicitAdams
    case CNF_FAMILY_IMPLICIT_ADAMS.rawValue: .implicitAdams
    case CNF_FAMILY_ROSENBROCK.rawValue: .rosenbrock
    case CNF_FAMILY_PARTITIONED.rawValue: .partitioned
    case CNF_FAMILY_REVERSIBLE.rawValue: .reversible
    default: preconditionFailure("cnf.h and the loaded CNFKernels library are of different versions")
    }
  }

  /// Where a stage is in its step: the sum of its row. As in the C library, a stage at the end is there to the bit.
  private static func timeFraction(_ row: [Double]) -> Double {
    let sum = row.reduce(0, +)
    return abs(sum - 1) < 1e-12 ? 1 : sum
  }

  private static func tableau(_ method: Int32) -> ButcherTableau {
    var info = cnf_method_info()
    info.struct_size = MemoryLayout<cnf_method_info>.size
    let status = cnf_method_get(method, &info)
    precondition(status == CNF_OK, "method \(method) of \(cnf_method_count()) has no tableau")
    let stages = Int(info.stages)
    func numbers(_ start: UnsafePointer<Double>?) -> [Double] {
      start.map { Array(UnsafeBufferPointer(start: $0, count: stages)) } ?? []
    }
    func rows(_ start: UnsafePointer<Double>) -> [[Double]] {
      (0..<stages).map { numbers(start + $0 * Int(info.a_stride)) }
    }
    let a = info.a.map(rows) ?? []
    let kind = Self.family(info.family)
    return ButcherTableau(
      name: String(cString: info.name), family: kind, alias: info.alias.map { String(cString: $0) },
      citation: String(cString: info.citation), order: Int(info.order),
      embeddedOrder: Int(info.embedded_order), a: a, b: numbers(info.b),
      c: kind == .rungeKutta ? a.map(timeFraction) : [],
      e: numbers(info.e), isFirstSameAsLast: info.is_fsal != 0,
      momenta: info.momenta_a.map { .init(a: rows($0), b: numbers(info.momenta_b)) },
      rosenbrock: info.rosenbrock_c.map {
        .init(
          gamma: info.rosenbrock_gamma, c: rows($0), alpha: numbers(info.rosenbrock_alpha),
          d: numbers(info.rosenbrock_d), second: numbers(info.rosenbrock_h2), third: numbers(info.rosenbrock_h3))
      })
  }
}
