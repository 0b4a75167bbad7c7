import FlowPlots
import Foundation
import NeuralODE
import TestProblems

/// The results of many solves, as text, CSV and plots.
struct WorkPrecisionReport {
  /// The kind of the problems.
  let title: String
  let problems: [TestProblem]
  let solves: [WorkPrecision]
  let methods: [String]
  let tolerances: [Double]

  var lines: [String] {
    var lines = ["\(title) problems: \(problems.count)"]
    for isGlobal in [false, true] {
      let some = solves.filter { $0.isGlobal == isGlobal }
      lines += ["", isGlobal ? "the error at the end controlled" : "each step's error controlled"]
      lines += table(of: some) + misses(of: some) + summary(of: some)
    }
    return lines + [""]
  }

  /// One row for each method and tolerance, over all problems.
  private func table(of solves: [WorkPrecision]) -> [String] {
    var lines = [Self.row("method", "tolerance", "evaluations", "error/tol", "worst", "of", "within 10 tol")]
    for method in methods {
      for tolerance in tolerances {
        let some = solves.filter { $0.method == method && $0.tolerance == tolerance }
        let worst = some.max { Self.badness($0) < Self.badness($1) }
        lines.append(
          Self.row(
            method, Self.short(tolerance), "\(Self.median(some.map { Double($0.evaluations) }).map { Int($0) } ?? 0)",
            Self.short(Self.median(some.map(Self.badness)) ?? .nan), worst.map { Self.short($0.error) } ?? "",
            worst?.problem ?? "", "\(some.count(where: \.isWithinTolerance))/\(some.count)"))
      }
    }
    return lines + ["evaluations and error/tol are medians over the problems; error/tol is at the end time"]
  }

  /// Every solve that failed or has an error above ten tolerances.
  private func misses(of solves: [WorkPrecision]) -> [String] {
    let misses = solves.filter { !$0.isWithinTolerance }
    guard !misses.isEmpty else { return [] }
    return [""] + [Self.row("miss", "tolerance", "evaluations", "error/tol", "method", "", "status")]
      + misses.map {
        Self.row(
          $0.problem, Self.short($0.tolerance), "\($0.evaluations)", Self.short($0.error), $0.method, "", "\($0.status)"
        )
      }
  }

  private func summary(of solves: [WorkPrecision]) -> [String] {
    func percent(_ some: [WorkPrecision]) -> String { String(format: "%.1f %%", 100 * some.shareWithinTolerance) }
    let each = methods.map { method in "\(method) \(percent(solves.filter { $0.method == method }))" }
    return [
      "",
      "error at most 10 tolerances: \(percent(solves)) of \(solves.count) solves (\(each.joined(separator: ", "))); the goal is \(Int(100 * WorkPrecision.goal)) %",
    ]
  }

  static let csvHeader = "problem,method,control,tolerance,evaluations,error_over_tolerance,status\n"
  var csvRows: String {
    solves.map {
      "\($0.problem),\($0.method),\($0.isGlobal ? "end" : "step"),\($0.tolerance),\($0.evaluations),\($0.error),\($0.status.rawValue)\n"
    }.joined()
  }

  var plots: [(name: String, plot: LinePlot)] { problems.map { ($0.name, plot(of: $0)) } }

  /// Error against evaluations, one line for each method; failed solves are left out.
  private func plot(of problem: TestProblem) -> LinePlot {
    LinePlot(
      series: methods.map { method in
        Series(
          name: method,
          points: solves.filter {
            $0.problem == problem.name && $0.method == method && !$0.isGlobal && $0.status == .ok
          }
          .map { Point(x: Double($0.evaluations), y: $0.error * $0.tolerance) })
      }, title: "\(problem.name): \(problem.title)", xLabel: "evaluations", yLabel: "error", xScale: .logarithmic,
      yScale: .logarithmic)
  }

  /// Sorts failures last.
  private static func badness(_ solve: WorkPrecision) -> Double { solve.error.isNaN ? .infinity : solve.error }

  private static func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }

  private static func short(_ value: Double) -> String { String(format: "%.2g", value) }

  private static func row(_ texts: String...) -> String {
    let widths = [9, 10, 12, 10, 10, 4, 14]
    return zip(texts, widths).map { text, width in text + String(repeating: " ", count: max(width - text.count, 1)) }
      .joined()
  }
}
