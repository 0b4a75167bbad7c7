import ArgumentParser
import Foundation
import NeuralODE
import TestProblems

/// `bench-solvers`: every adaptive method on every non-stiff test problem, at tolerances from 1e-3 to 1e-11.
@main
struct BenchSolvers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-solvers",
    abstract: "Measure work and precision of the adaptive methods on the DETEST problems.",
    discussion: """
      Work is evaluations of the field; precision is the error at the end time against a reference, as a multiple of the \
      tolerance, in the norm of step control. Prints a table, and every solve whose error is more than ten \
      tolerances; writes all solves as work-precision.csv and a plot of each problem to the folder.
      """)

  @Option(help: "The folder to write to.") var out = "runs/bench-solvers"
  @Option(help: "Names of methods, separated by commas; all explicit adaptive ones without it.") var methods: String?
  @Option(help: "The smallest tolerance is 1e-N.") var digits = 11

  func validate() throws {
    guard (3...13).contains(digits) else { throw ValidationError("--digits is \(digits), must be from 3 to 13") }
    for name in methodNames where try !Methods.named(name).isAdaptive {
      throw ValidationError("method '\(name)' has no error estimate: it takes fixed steps only")
    }
    for name in methodNames where try Methods.named(name).family == .rosenbrock {
      throw ValidationError("method '\(name)' needs the Jacobian, which the non-stiff problems lack")
    }
  }

  private var methodNames: [String] {
    methods?.split(separator: ",").map(String.init) ?? Methods.rungeKutta.filter(\.isAdaptive).map(\.name)
  }
  private var tolerances: [Double] { (3...digits).map { Double("1e-\($0)")! } }

  func run() throws {
    var solves: [WorkPrecision] = []
    for problem in TestProblem.nonStiff {
      for method in methodNames {
        for tolerance in tolerances {
          solves.append(try WorkPrecision.measure(problem, method: method, tolerance: tolerance))
        }
      }
      FileHandle.standardError.write(Data("\(problem.name) ".utf8))
    }
    FileHandle.standardError.write(Data("\n".utf8))
    let report = WorkPrecisionReport(solves: solves, methods: methodNames, tolerances: tolerances)
    for line in report.table + report.misses + report.summary { print(line) }
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    try report.csv.write(toFile: out + "/work-precision.csv", atomically: true, encoding: .utf8)
    for problem in TestProblem.nonStiff { try report.plot(of: problem).write(to: "\(out)/\(problem.name).png") }
    print("\(out): work-precision.csv, and a plot of each of \(TestProblem.nonStiff.count) problems")
  }
}
