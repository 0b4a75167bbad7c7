import Foundation
import NeuralODE
import Testing

/// A rooted tree of Butcher's theory of order conditions, given by its subtrees.
private struct RootedTree: Hashable {
  let children: [RootedTree]
  var order: Int { children.reduce(1) { $0 + $1.order } }
  /// γ(t), the density of the tree.
  var density: Double { children.reduce(Double(order)) { $0 * $1.density } }

  /// uᵢ(t), the product of Σⱼ aᵢⱼ uⱼ over the subtrees. The weight of the tree is Σ bᵢ uᵢ.
  func stageWeights(_ a: [[Double]]) -> [Double] {
    children.reduce(into: [Double](repeating: 1, count: a.count)) { weights, child in
      let inner = child.stageWeights(a)
      for stage in a.indices { weights[stage] *= zip(a[stage], inner).reduce(0) { $0 + $1.0 * $1.1 } }
    }
  }

  /// All trees of up to `order` nodes; 1, 2, 4, 8, 17, 37, 85, 200 of them for order 1 to 8.
  static func all(upTo order: Int) -> [RootedTree] {
    var byOrder: [[RootedTree]] = [[]]
    for size in 1...order {
      var found: Set<RootedTree> = []
      // A tree is a multiset of smaller trees, so the subtrees are chosen in the order of one list.
      let smaller = byOrder.flatMap { $0 }
      func extend(_ children: [RootedTree], from first: Int, left: Int) {
        if left == 0 { found.insert(RootedTree(children: children)) }
        for index in smaller.indices.dropFirst(first) where smaller[index].order <= left {
          extend(children + [smaller[index]], from: index, left: left - smaller[index].order)
        }
      }
      extend([], from: 0, left: size - 1)
      byOrder.append(Array(found))
    }
    return byOrder.flatMap { $0 }
  }
}

@Suite struct TableauTests {
  private static let largestOrder = 8
  private static let trees = RootedTree.all(upTo: largestOrder)

  @Test func numbersOfTreesAreKnown() {
    let counts = (1...Self.largestOrder).map { order in Self.trees.filter { $0.order == order }.count }
    #expect(counts == [1, 1, 2, 4, 9, 20, 48, 115])
  }

  /// Σ bᵢ uᵢ(t) = 1/γ(t) holds for every tree up to the stated order, and not for all trees of the next order.
  @Test(arguments: Methods.rungeKutta)
  func orderConditionsHold(method: ButcherTableau) throws {
    try #require(
      method.order <= Self.largestOrder && method.embeddedOrder < Self.largestOrder,
      "\(method.name): make `largestOrder` larger, and add the number of trees to `numbersOfTreesAreKnown`")
    // Coefficients are up to 20 in size, and products have up to eight of them, each rounded once.
    let tolerance = 1e-12
    func worst(_ weights: [Double], order: Int) -> Double {
      Self.trees.filter { $0.order == order }.map { tree in
        abs(zip(weights, tree.stageWeights(method.a)).reduce(0) { $0 + $1.0 * $1.1 } - 1 / tree.density)
      }.max() ?? .infinity
    }
    for order in 1...method.order {
      #expect(worst(method.b, order: order) < tolerance, "\(method.name) order \(order)")
    }
    if method.order < Self.largestOrder { #expect(worst(method.b, order: method.order + 1) > 1e-6, "\(method.name)") }
    guard method.isAdaptive else { return }
    let embedded = zip(method.b, method.e).map { $0 - $1 }
    for order in 1...method.embeddedOrder {
      #expect(worst(embedded, order: order) < tolerance, "\(method.name), embedded, order \(order)")
    }
    #expect(worst(embedded, order: method.embeddedOrder + 1) > 1e-6, "\(method.name), embedded")
  }

  @Test(arguments: Methods.rungeKutta)
  func tableauxAreExplicit(method: ButcherTableau) {
    for (stage, row) in method.a.enumerated() {
      #expect(row[stage...].allSatisfy { $0 == 0 })
      #expect(abs(row.reduce(0, +) - method.c[stage]) < 1e-14)
    }
    #expect(!method.citation.isEmpty)
    #expect(method.isFirstSameAsLast == (method.isAdaptive && method.a.last == method.b))
  }

  /// Measures the slope of log(error) over log(step) for x' = tanh(W x + w t + b), of state and log-determinant, in
  /// Double.
  @Test(arguments: Methods.rungeKutta)
  func convergesAtItsOrder(method: ButcherTableau) throws {
    let program = Fixtures.net(2, [8], .tanh)
    let parameters: [Double] = Fixtures.parameters(for: program, seed: 4, gain: 1)
    let problem = SolveProblem<Double>(
      parameters: parameters, states: Fixtures.normals(2 * 8, seed: 5), from: 0, to: 2)
    func solve(_ method: String, steps: Int) throws -> [Double] {
      let solver = try KernelSolver<Double>(program: program, options: Fixtures.options(method, .fixed(steps: steps)))
      let solution = try solver.solve(problem)
      return solution.states + solution.logDeterminants
    }
    let exact = try solve("dopri8", steps: 400)
    // The steps are few enough that the error is well above rounding, and enough that its leading term dominates.
    let stepCounts = [
      1: [64, 128, 256], 2: [64, 128, 256], 3: [32, 64, 128], 4: [32, 64, 128], 5: [80, 112, 144], 7: [12, 15, 18],
      8: [8, 10, 12],
    ]
    let steps = try #require(stepCounts[method.order], "add numbers of steps for methods of order \(method.order)")
    let errors = try steps.map { count in
      zip(try solve(method.name, steps: count), exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let slope = log(errors.first! / errors.last!) / log(Double(steps.last!) / Double(steps.first!))
    #expect(abs(slope - Double(method.order)) < 0.2, "\(method.name): slope \(slope), errors \(errors)")
  }
}
