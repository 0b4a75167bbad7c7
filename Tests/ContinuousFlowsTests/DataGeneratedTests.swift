import ContinuousFlows
import Testing

@Suite struct DataGeneratedTests {
  @Test(arguments: GeneratedDataset.allCases)
  func samplesDependOnSeedAndNumberAlone(generated: GeneratedDataset) {
    let few = generated.samples(count: 7, seed: 3)
    let many = generated.samples(count: 100, seed: 3)
    #expect(few.values == Array(many.values.prefix(14)))
    #expect(generated.samples(count: 7, seed: 4).values != few.values)
    #expect(many.values.allSatisfy { $0.isFinite })
  }

  /// Compares mean and variance of each coordinate with values derived from the definitions, by hand or by quadrature.
  /// The error of the mean of n samples is σ/√n; that of the variance is less than √(κ/n) σ², with a kurtosis κ below
  /// 4. The test allows five of them.
  @Test(arguments: [
    (GeneratedDataset.circles, SIMD2(0.0, 0.0), SIMD2(2.8701, 2.8701)),
    (.rings, SIMD2(0, 0), SIMD2(2.1158, 2.1158)),
    (.eightGaussians, SIMD2(0, 0), SIMD2(4.1262, 4.1262)),
    (.checkerboard, SIMD2(0, 0), SIMD2(5.3333, 5.3333)),
    (.moons, SIMD2(0, 0.3), SIMD2(3.04, 1.0168)),
  ])
  func momentsAreThoseOfTheDefinition(generated: GeneratedDataset, mean: SIMD2<Double>, variance: SIMD2<Double>) {
    let count = 40_000
    let points = generated.samples(count: count, seed: 1)
    for column in 0..<2 {
      let values = (0..<count).map { Double(points.values[2 * $0 + column]) }
      let average = values.reduce(0, +) / Double(count)
      let spread = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(count)
      let error = 5 * (variance[column] / Double(count)).squareRoot()
      #expect(abs(average - mean[column]) < error, "\(generated) mean of column \(column): \(average)")
      #expect(
        abs(spread - variance[column]) < 5 * (4 / Double(count)).squareRoot() * variance[column],
        "\(generated) variance of column \(column): \(spread)")
    }
  }

  @Test func checkerboardHasEightSquares() {
    let points = GeneratedDataset.checkerboard.samples(count: 4000)
    var squares: Set<[Int]> = []
    for sample in 0..<points.count {
      let square = points[sample].map { Int(($0 / 2).rounded(.down)) }
      #expect(square.allSatisfy { -2..<2 ~= $0 })
      squares.insert(square)
    }
    #expect(squares == Set((-2..<2).flatMap { x in (-2..<2).filter { (x + $0) % 2 == 0 }.map { [x, $0] } }))
  }

  @Test func pinwheelHasFiveArmsAlike() {
    // A rotation by a fifth of a circle maps the pinwheel to itself. So the mean of exp(5 i angle) is not 0, and the
    // means of lower powers are 0.
    let points = GeneratedDataset.pinwheel.samples(count: 20_000)
    for power in 1...5 {
      var sum = SIMD2(0.0, 0.0)
      for sample in 0..<points.count {
        let (x, y) = (Double(points.values[2 * sample]), Double(points.values[2 * sample + 1]))
        let unit = SIMD2(x, y) / (x * x + y * y).squareRoot()
        var turned = SIMD2(1.0, 0.0)
        for _ in 0..<power {
          turned = SIMD2(turned.x * unit.x - turned.y * unit.y, turned.x * unit.y + turned.y * unit.x)
        }
        sum += turned
      }
      let length = (sum * sum).sum().squareRoot() / Double(points.count)
      #expect(power == 5 ? length > 0.3 : length < 5 / Double(points.count).squareRoot(), "power \(power): \(length)")
    }
  }

  @Test func spiralsAreWhereTheyShouldBe() {
    // The noise is small compared with the distance between the arms. So radius and angle have to agree, modulo a half
    // or whole turn.
    let roll = GeneratedDataset.swissRoll.samples(count: 2000)
    let radii = (0..<roll.count).map { row in roll[row].reduce(0) { $0 + Double($1 * $1) }.squareRoot() }
    #expect(radii.allSatisfy { $0 < (4.5 * .pi + 5) / 5 })
    let inside = radii.count { $0 < 1.5 * .pi / 5 - 0.6 }
    #expect(inside < 40, "\(inside) samples inside the roll")
    let spirals = GeneratedDataset.twoSpirals.samples(count: 2000)
    #expect(spirals.values.allSatisfy { abs($0) < Double.pi + 0.7 })
  }
}
