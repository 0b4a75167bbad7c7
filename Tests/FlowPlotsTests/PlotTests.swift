import Testing

@testable import FlowPlots

@Suite struct PlotTests {
  private func rendered(_ plot: some Plot) throws -> DecodedPNG {
    let image = try #require(DecodedPNG(try plot.encoded(as: .png)))
    #expect(image.width == Int((plot.size.width * 2).rounded()))
    #expect(image.height == Int((plot.size.height * 2).rounded()))
    return image
  }

  // MARK: Densities

  @Test func densityShowsLowRowsBelow() throws {
    // The lower half has the highest value and the upper half the lowest. Panels are squares of 280 points.
    let grid = DensityGrid(values: [4, 4, 0, 0], rows: 2, columns: 2, x: -1...1, y: -1...1, quantity: .density)
    let plot = DensityPlot(data: [0, 0], samples: [], density: grid)
    let image = try rendered(plot)
    let panel = Rectangle(x: plot.size.width - 100 - 280, y: 42, width: 280, height: 280)
    #expect(image.pixel(at: Point(x: panel.center.x, y: panel.bottom - 10)) == Colormap.viridis.color(at: 1).pixel)
    #expect(image.pixel(at: Point(x: panel.center.x, y: panel.y + 10)) == Colormap.viridis.color(at: 0).pixel)
    // The only point of the data is in the middle of the first panel.
    let dot = image.pixel(at: Point(x: 62 + 140, y: panel.center.y))
    #expect(dot & 0xFF > dot >> 16 & 0xFF, "blue exceeds red")
  }

  @Test func gridsInterpolateBetweenCentres() {
    let grid = DensityGrid(values: [0, 1, 2, 3], rows: 2, columns: 2, x: 0...1, y: 0...1)
    #expect(grid.value(across: 0.25, up: 0.25) == 0)
    #expect(grid.value(across: 0.75, up: 0.25) == 1)
    #expect(grid.value(across: 0.5, up: 0.5) == 1.5)
    #expect(grid.value(across: 1, up: 1) == 3)
    let holed = DensityGrid(values: [.nan, 1], rows: 1, columns: 2, x: 0...1, y: 0...1)
    #expect(holed.value(across: 0.4, up: 0.5).isNaN)
    #expect(holed.value(across: 0.6, up: 0.5) == 1)
    #expect(DensityGrid.centers(rows: 1, columns: 2, x: 0...4, y: 1...3) == [1, 2, 3, 2])
  }

  @Test func shownRangeLeavesOutFarTails() {
    func range(_ values: [Double], _ quantity: DensityGrid.Quantity) -> ClosedRange<Double> {
      DensityGrid(values: values, rows: 1, columns: values.count, x: 0...1, y: 0...1, quantity: quantity).shownRange
    }
    #expect(range([-500, -1, .nan, -.infinity], .logDensity) == -9...(-1))
    #expect(range([-3, -1], .logDensity) == -3...(-1))
    #expect(range([0.5, 2, .infinity], .density) == 0...2)
    #expect(range([.nan], .density) == 0...1)
  }

  // MARK: Images

  @Test func imagesKeepTheirGreys() throws {
    let plot = SampleGrid(
      data: [0, 16, 8, .nan], samples: [16, 0, 0, 0], height: 2, width: 2, rows: 1, columns: 1, black: 0, white: 16)
    let image = try rendered(plot)
    // 72 pixels of the PNG, 36 points, centred in a column of 110 points.
    let corner = Point(x: 16 + 37, y: 40)
    #expect(image.pixel(at: Point(x: corner.x + 1, y: corner.y + 1)) == 0xFF00_0000)
    #expect(image.pixel(at: Point(x: corner.x + 35, y: corner.y + 1)) == 0xFFFF_FFFF)
    #expect(image.pixel(at: Point(x: corner.x + 1, y: corner.y + 35)) == 0xFF80_8080)
    #expect(image.pixel(at: Point(x: corner.x + 35, y: corner.y + 35)) == Theme.palette[1].pixel)
    #expect(image.pixel(at: Point(x: corner.x + 110 + 36 + 1, y: corner.y + 1)) == 0xFFFF_FFFF)
  }

  @Test func imagesOfAnySizeFit() throws {
    _ = try rendered(SampleGrid(data: [], samples: [], height: 28, width: 28))
    _ = try rendered(SampleGrid(data: Array(repeating: .infinity, count: 3 * 7), samples: [], height: 3, width: 7))
    let large = SampleGrid(
      data: Array(repeating: 0.5, count: 700 * 500), samples: [], height: 700, width: 500, rows: 2, columns: 2)
    #expect(try rendered(large).width < 2000)
    _ = try rendered(SampleGrid(data: [1, 1], samples: [2, 3], height: 1, width: 1, black: 1, white: 1))
  }

  // MARK: Curves

  @Test func curvesShowTheirColours() throws {
    let steps = (0..<100).map(Double.init)
    let curve = TrainingCurve(
      series: [
        Series(name: "training", steps: steps, values: steps.map { 1 / (1 + $0) }),
        Series(name: "held out", steps: steps, values: steps.map { 2 / (1 + $0) }),
      ], references: [ReferenceLine(label: "Gaussian", value: 0.7)])
    let image = try rendered(curve)
    #expect(image.count(of: Theme.palette[0]) > 200)
    #expect(image.count(of: Theme.palette[1]) > 200)
    #expect(image.count(of: Theme.palette[2]) == 0)
  }

  @Test func smoothingKeepsLinesAndEvensNoise() {
    let steps = (0..<200).map { Double($0) * 3 }
    let line = Series(name: "", steps: steps, values: steps.map { 2 - 0.5 * $0 }).smoothed(halfLife: 20)
    // A fitted line reproduces a line up to the rounding of sums of about a hundred terms.
    for (step, point) in zip(steps, line) { #expect(abs(point.y - (2 - 0.5 * step)) < 1e-9) }
    var noisy = steps.indices.map { $0 % 2 == 0 ? 1.0 : -1.0 }
    noisy[50] = .nan
    let even = Series(name: "", steps: steps, values: noisy).smoothed(halfLife: 60)
    #expect(even[50].y.isNaN)
    for index in 20..<180 where index != 50 { #expect(abs(even[index].y) < 0.1) }
    #expect(Series(name: "", steps: [4], values: [7]).smoothed(halfLife: 1) == [Point(x: 4, y: 7)])
    let equal = Series(name: "", steps: [4, 4], values: [7, 9]).smoothed(halfLife: 1)
    #expect(equal.map(\.y) == [8, 8])
  }

  static let oddValues: [[Double]] = [
    [], [3], [.nan], [.infinity, -.infinity], [5, 5, 5], [0, 0], [1, .nan, 2], [1e12, -1e12], [1, 1 + 1e-12],
    [1e-12, 2e-12], [1.7e308, -1.7e308, 0], [0x1p-1074, 0x1p-1030], [-1, -2, 0], [1e300, 1e-300],
  ]

  @Test(arguments: oddValues, [AxisScale.linear, .logarithmic])
  func oddValuesDrawSomething(values: [Double], scale: AxisScale) throws {
    let steps = values.indices.map(Double.init)
    for format in PlotFormat.allCases {
      let curve = TrainingCurve(
        series: [Series(name: "a", steps: steps, values: values), Series(name: "b", steps: values, values: steps)],
        references: values.map { ReferenceLine(label: "reference", value: $0) }, title: "odd", xScale: scale,
        yScale: scale, smoothing: 1)
      #expect(try curve.encoded(as: format).count > 500)
      var fixed = curve
      fixed.yLimits = 0...1e-9
      #expect(try fixed.encoded(as: format).count > 500)
    }
  }

  @Test(arguments: oddValues)
  func oddPositionsDrawSomething(values: [Double]) throws {
    let flat = values.flatMap { value -> [Double] in [value, -value] }
    let grid = DensityGrid(values: values, rows: 1, columns: values.count, x: -1...1, y: -1e12...1e12)
    #expect(try DensityPlot(data: flat, samples: flat.reversed(), density: grid).encoded(as: .png).count > 500)
    #expect(try ParticlePaths(positions: flat, times: values, particles: 1).encoded(as: .svg).count > 500)
    #expect(try ParticlePaths(positions: flat, times: [0], particles: values.count).encoded(as: .svg).count > 500)
  }

  @Test func manyPointsStayQuickAndSmall() throws {
    let many = (0..<200_000).map { Double($0 &* 7919 % 100_003) / 100_003 }
    let grid = DensityGrid(values: [1], rows: 1, columns: 1, x: 0...1, y: 0...1)
    let svg = try DensityPlot(data: many, samples: many, density: grid).encoded(as: .svg)
    #expect(svg.count < 8_000_000)
    let steps = (0..<100_000).map(Double.init)
    let curve = TrainingCurve(series: [Series(name: "loss", steps: steps, values: Array(many.prefix(100_000)))])
    #expect(try curve.encoded(as: .svg).count < 1_000_000)
  }

  @Test func longNamesAreShortened() throws {
    let name = String(repeating: "a very long name ", count: 40)
    let curve = TrainingCurve(
      series: (0..<30).map { Series(name: "\($0) \(name)", steps: [0], values: [1]) },
      references: [ReferenceLine(label: name, value: 1)], title: name, yLabel: name)
    _ = try rendered(curve)
    let canvas = try Canvas(size: curve.size, format: .png)
    let short = canvas.shortened(name, font: Theme.tickFont, width: 100)
    #expect(short.hasSuffix("…"))
    #expect(canvas.width(of: short, font: Theme.tickFont) <= 100)
    #expect(canvas.shortened("short", font: Theme.tickFont, width: 100) == "short")
    #expect(canvas.shortened("", font: Theme.tickFont, width: 0) == "")
  }

  // MARK: Samples over time

  @Test func samplesHaveAPanelForEachChosenTime() throws {
    let times: [Double] = (0...10).map { Double($0) / 10 }
    let positions = times.flatMap { time -> [Double] in [time, 0, -time, 1] }
    let five = ParticlePaths(positions: positions, times: times, particles: 2)
    let two = ParticlePaths(positions: positions, times: times, particles: 2, snapshots: 2)
    #expect(abs(five.size.width - two.size.width - 3 * 210) < 1e-9)
    let image = try rendered(five)
    let end = Colormap.viridis.slice(0...0.8).color(at: 1)
    #expect(image.count(of: end) > 0, "ends of the trajectories")
    _ = try rendered(two)
  }
}
