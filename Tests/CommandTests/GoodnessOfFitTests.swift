import FlowIO
import Foundation
import Testing

/// `cnf sample` draws from the density that `cnf logprob` reports, for every kind of model that is a density and every
/// objective that trains it: Pearson's chi-square of the samples against the integrals of exp(log p) over cells.
///
/// `make goodness-of-fit` runs the same test with more training steps, samples and seeds, by the variables below.
@Suite(.serialized, .timeLimit(.minutes(60))) struct GoodnessOfFitTests {
  private static func number(_ variable: String, _ standard: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? standard
  }
  private static let steps = number("CNF_FIT_STEPS", 60)
  private static let samples = number("CNF_FIT_SAMPLES", 20_000)
  private static let seeds = number("CNF_FIT_SEEDS", 1)
  /// Parts of a cell's side, each with a Gauss rule of its own. A density of a long training run needs 4.
  private static let parts = number("CNF_FIT_PARTS", 1)

  private let folder = try! TemporaryFolder()

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    let outcome = try Program.start(arguments, in: folder).outcome()
    #expect(outcome.code == 0, "\(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome
  }

  /// A choice of flags of `train`, with further flags of `sample` and `logprob`.
  private struct Case {
    var train: [String]
    var condition: [String] = []
  }

  /// Every pair of a model with an objective that `cnf settings` lists, except models with outputs, whose densities
  /// are of classes or targets; then the bases, the contexts and the pairings of flow matching.
  private func cases() throws -> [Case] {
    let settings = try run(["settings", "--data", "pinwheel", "--json"]).json.elements ?? []
    func words(_ setting: String, _ member: String) throws -> [String] {
      let found = try #require(settings.first { $0["name"]?.text == setting })
      return found[member]?.elements?.compactMap(\.text) ?? []
    }
    let outputs = try words("targets", "models")
    var cases: [Case] = []
    for model in try words("model", "words") where !outputs.contains(model) {
      for objective in try words("objective", "words") {
        let flags = ["--model", model, "--objective", objective]
        let tried = try Program.start(["settings", "--data", "pinwheel"] + flags, in: folder).outcome()
        guard tried.code == 0 else {
          // Any other refusal would leave a pair out.
          #expect(tried.errors.contains("objective is \(objective)"), "\(tried.errors)")
          continue
        }
        guard objective == "score-matching" else {
          cases.append(Case(train: flags))
          continue
        }
        cases += try words("process", "words").map { Case(train: flags + ["--process", $0]) }
      }
    }
    // The density of a uniform base jumps at the edge of its box, so cells across the edge have no accurate integral.
    for base in ["gaussian", "full-gaussian", "mixture:3"] {
      cases += [["--base", base], ["--base", base, "--model", "coupling"]].map { Case(train: $0) }
    }
    let matching = ["--objective", "flow-matching", "--coupling", "optimal-transport"]
    cases.append(Case(train: matching))
    cases += [[], matching].map { Case(train: ["--condition", "labels"] + $0, condition: ["--class", "3"]) }
    return cases
  }

  @Test func samplesHaveTheReportedDensity() throws {
    let cases = try cases()
    // Nine kinds of densities, two of them by two objectives or more, and the eight further ones.
    #expect(cases.count >= 20, "\(cases.count)")
    for (index, one) in cases.enumerated() {
      let run = "run\(index)"
      _ = try self.run(
        ["train", "--data", "pinwheel", "--count", "2000", "--steps", "\(Self.steps)", "--out", run, "--quiet"]
          + one.train)
      for seed in 1...Self.seeds { try check(run, seed: seed, one) }
    }
  }

  private func check(_ model: String, seed: Int, _ one: Case) throws {
    _ = try run(
      ["sample", model, "-n", "\(Self.samples)", "--seed", "\(seed)", "--out", "x.npy", "--quiet"] + one.condition)
    let drawn = try NumPyFile.read(folder.file("x.npy")).floats()
    let grid = CellGrid(around: drawn, parts: Self.parts)
    try NumPyFile.write(NumPyArray(shape: [grid.nodes.count / 2, 2], floats: grid.nodes), to: folder.file("nodes.npy"))
    _ = try run(["logprob", model, "--data", "nodes.npy", "--out", "p.npy", "--quiet"] + one.condition)
    let fit = grid.fit(of: drawn, logDensities: try NumPyFile.read(folder.file("p.npy")).doubles())
    print("\(one.train.joined(separator: " ")) seed \(seed): chi-square \(fit.chiSquare) on \(fit.freedom)")
    // A chance of 1e-6 for each case and seed.
    #expect(
      fit.chiSquare < ChiSquare.quantile(normal: 4.753, freedom: fit.freedom),
      "\(one.train) seed \(seed): chi-square \(fit.chiSquare) on \(fit.freedom) degrees of freedom")
    // Errors e of the integrals add about count e² to chi-square, here at most 2.
    let error = (2 / Double(Self.samples)).squareRoot()
    #expect(fit.freedom > 50 && abs(fit.total - 1) < error, "\(one.train): \(fit.total) on \(fit.freedom)")
  }

  /// The bound is one: 20 draws of normal samples meet it, and samples that are 3 % too wide do not.
  @Test func theTestHasLevelAndPower() {
    var state: UInt64 = 1
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Double(state >> 11) + 0.5) / 9_007_199_254_740_992
    }
    func normals(_ width: Double) -> [Float] {
      (0..<20_000).flatMap { _ -> [Float] in
        let (radius, angle) = (width * (-2 * log(uniform())).squareRoot(), 2 * Double.pi * uniform())
        return [Float(radius * cos(angle)), Float(radius * sin(angle))]
      }
    }
    func excess(_ width: Double) -> Double {
      let drawn = normals(width)
      let grid = CellGrid(around: drawn, parts: 1)
      let fit = grid.fit(
        of: drawn,
        logDensities: stride(from: 0, to: grid.nodes.count, by: 2).map {
          let (x, y) = (Double(grid.nodes[$0]), Double(grid.nodes[$0 + 1]))
          return -0.5 * (x * x + y * y) - log(2 * Double.pi)
        })
      return fit.chiSquare - ChiSquare.quantile(normal: 4.753, freedom: fit.freedom)
    }
    #expect((0..<20).allSatisfy { _ in excess(1) < 0 })
    #expect(excess(1.03) > 0)
  }
}

/// A box of the plane in cells, with the nodes of Gauss rules in each.
private struct CellGrid {
  private static let cells = 24
  /// Gauss and Legendre's rule with four nodes on (-1, 1): nodes and weights.
  private static let rule = [
    (-0.861136311594053, 0.347854845137454), (-0.339981043584856, 0.652145154862546),
    (0.339981043584856, 0.652145154862546), (0.861136311594053, 0.347854845137454),
  ]
  /// Cells with fewer expected samples are counted with what lies outside.
  private static let fewest = 10.0

  private let low: [Double]
  private let width: [Double]
  /// Nodes of a cell's side as fractions of it, with their weights, of sum 1.
  private let side: [(place: Double, weight: Double)]
  /// `[cells²][nodes of a side²][2]`.
  let nodes: [Float]

  /// The mean ± 4.5 deviations of `samples`, `[count][2]`.
  init(around samples: [Float], parts: Int) {
    var (low, width): ([Double], [Double]) = ([], [])
    for column in 0..<2 {
      let values = stride(from: column, to: samples.count, by: 2).map { Double(samples[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      low.append(mean - 4.5 * variance.squareRoot())
      width.append(9 * variance.squareRoot() / Double(Self.cells))
    }
    let side = (0..<parts).flatMap { part in
      Self.rule.map { (place: (Double(part) + 0.5 + 0.5 * $0) / Double(parts), weight: 0.5 * $1 / Double(parts)) }
    }
    var nodes: [Float] = []
    for cell in 0..<Self.cells * Self.cells {
      for y in side {
        for x in side {
          nodes.append(Float(low[0] + width[0] * (Double(cell % Self.cells) + x.place)))
          nodes.append(Float(low[1] + width[1] * (Double(cell / Self.cells) + y.place)))
        }
      }
    }
    (self.low, self.width, self.side, self.nodes) = (low, width, side, nodes)
  }

  /// Pearson's statistic of `samples`; `total` is the integral of the density over the box.
  ///
  /// - Parameter logDensities: at `nodes`.
  func fit(of samples: [Float], logDensities: [Double]) -> (chiSquare: Double, freedom: Int, total: Double) {
    let count = samples.count / 2
    var observed = [Int](repeating: 0, count: Self.cells * Self.cells)
    for sample in 0..<count {
      let place = (0..<2).map { ((Double(samples[2 * sample + $0]) - low[$0]) / width[$0]).rounded(.down) }
      guard place.allSatisfy({ $0 >= 0 && $0 < Double(Self.cells) }) else { continue }
      observed[Int(place[1]) * Self.cells + Int(place[0])] += 1
    }
    let rule = side.flatMap { y in side.map { x in x.weight * y.weight * width[0] * width[1] } }
    let expected = observed.indices.map { cell in
      rule.indices.reduce(0) { $0 + rule[$1] * exp(logDensities[cell * rule.count + $1]) }
    }
    let kept = observed.indices.filter { expected[$0] * Double(count) >= Self.fewest }
    func term(_ observed: Int, _ probability: Double) -> Double {
      let expectation = probability * Double(count)
      return (Double(observed) - expectation) * (Double(observed) - expectation) / expectation
    }
    let inside = kept.reduce(0) { $0 + expected[$1] }
    let rest = term(count - kept.reduce(0) { $0 + observed[$1] }, max(1 - inside, Self.fewest / Double(count)))
    return (kept.reduce(rest) { $0 + term(observed[$1], expected[$1]) }, kept.count, expected.reduce(0, +))
  }
}

private enum ChiSquare {
  /// The quantile at the probability that a standard normal variable lies below `normal` (Wilson, Hilferty 1931,
  /// Proceedings of the National Academy of Sciences 17). For 50 degrees and more it is too
  /// large by less than 0.4 %.
  static func quantile(normal: Double, freedom: Int) -> Double {
    let part = 2 / (9 * Double(freedom))
    let root = 1 - part + normal * part.squareRoot()
    return Double(freedom) * root * root * root
  }
}
