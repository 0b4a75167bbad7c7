import ArgumentParser
import Foundation
import NeuralODE
import TestProblems

/// `bench-solvers`: runs every explicit adaptive method on every non-stiff test problem, and every Rosenbrock method on
/// every stiff one, at tolerances from 1e-3 to 1e-11.
@main
struct BenchSolvers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-solvers",
    abstract: "Measure work and precision of the adaptive methods on the DETEST problems, and on stiff ones.",
    discussion: """
      Explicit methods solve the 25 non-stiff problems, Rosenbrock methods the stiff ones. \
      Work is evaluations of the field; precision is the error at the end time against a reference, as a multiple of the \
      tolerance, in the norm of step control. Each is solved by control of each step's error, as everywhere, and by control of the \
      error at the end (GlobalErrorSolver). Prints a table of each kind, and every solve whose error is more than ten \
      tolerances; writes all solves as work-precision.csv and a plot of each problem to the folder.
      """)

  @Option(help: "The folder to write to.") var out = "runs/bench-solvers"
  @Option(help: "Names of methods, separated by commas; all adaptive ones without it.") var methods: String?
  @Option(help: "The smallest tolerance is 1e-N.") var digits = 11

  func validate() throws {
    guard (3...13).contains(digits) else { throw ValidationError("--digits is \(digits), must be from 3 to 13") }
    for name in try methodNames where try !Methods.named(name).isAdaptive {
      throw ValidationError("method '\(name)' has no error estimate: it takes fixed steps only")
    }
  }

  private var methodNames: [String] {
    get throws { methods?.split(separator: ",").map(String.init) ?? Methods.all.filter(\.isAdaptive).map(\.name) }
  }
  private var tolerances: [Double] { (3...digits).map { Double("1e-\($0)")! } }

  func run() throws {
    let reports = [
      try report("non-stiff", on: TestProblem.nonStiff, family: .rungeKutta),
      try report("stiff", on: TestProblem.stiff, family: .rosenbrock),
    ].filter { !$0.methods.isEmpty }
    for line in reports.flatMap(\.lines) { print(line) }
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let csv = WorkPrecisionReport.csvHeader + reports.map(\.csvRows).joined()
    try csv.write(toFile: out + "/work-precision.csv", atomically: true, encoding: .utf8)
    let plots = reports.flatMap(\.plots)
    for (name, plot) in plots { try plot.write(to: "\(out)/\(name).png") }
    print("\(out): work-precision.csv, and a plot of each of \(plots.count) problems")
  }

  /// Solves `problems` with the chosen methods of `family`.
  private func report(
    _ title: String, on problems: [TestProblem], family: MethodFamily
  ) throws -> WorkPrecisionReport {
    let names = try methodNames.filter { try Methods.named($0).family == family }
    var solves: [WorkPrecision] = []
    for problem in problems where !names.isEmpty {
      for method in names {
        for tolerance in tolerances {
          for isGlobal in [false, true] {
            solves.append(
              try WorkPrecision.measure(problem, method: method, tolerance: tolerance, isGlobal: isGlobal))
          }
        }
      }
      FileHandle.standardError.write(Data("\(problem.name) ".utf8))
    }
    if !names.isEmpty { FileHandle.standardError.write(Data("\n".utf8)) }
    return WorkPrecisionReport(
      title: title, problems: problems, solves: solves, methods: names, tolerances: tolerances)
  }
}
