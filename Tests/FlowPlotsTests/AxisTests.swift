import Testing

@testable import FlowPlots

@Suite struct AxisTests {
  @Test func coversItsValues() {
    let axis = Axis(covering: [3, -1, .nan, 7, .infinity, -.infinity], padding: 0.1)
    #expect(axis.limits.lowerBound == -1.8)
    #expect(axis.limits.upperBound == 7.8)
    #expect(Axis(covering: [], scale: .linear).limits == 0...1)
    #expect(Axis(covering: [0, -3, .nan], scale: .logarithmic).limits == 1...10)
  }

  @Test(arguments: [0, 5, -5, 1e-12, 1e12, 0x1p-1030, -1e299, 1e305], [AxisScale.linear, .logarithmic])
  func equalValuesGetARange(value: Double, scale: AxisScale) {
    let limits = Axis(covering: [value, value], scale: scale).limits
    #expect(limits.lowerBound < limits.upperBound)
    #expect((limits.upperBound - limits.lowerBound).isFinite)
    if abs(value) < 1e300, scale == .linear { #expect(limits.contains(value)) }
    #expect(Ticks(limits: limits, scale: scale, maximum: 8).values.count >= 2)
  }

  @Test func mapsLimitsToTheEdgesOfTheFrame() throws {
    let frame = Rectangle(x: 10, y: 20, width: 200, height: 100)
    let axes = Axes(x: Axis(limits: 0...4), y: Axis(limits: 1...100, scale: .logarithmic), frame: frame)
    #expect(axes.place(of: Point(x: 0, y: 1)) == Point(x: 10, y: 120))
    #expect(axes.place(of: Point(x: 4, y: 100)) == Point(x: 210, y: 20))
    let middle = try #require(axes.place(of: Point(x: 2, y: 10)))
    #expect(middle.x == 110)
    #expect(abs(middle.y - 70) < 1e-12)
    for impossible in [Point(x: 1, y: 0), Point(x: .nan, y: 2), Point(x: 1, y: .infinity), Point(x: 1e300, y: 2)] {
      #expect(axes.place(of: impossible) == nil)
    }
  }

  @Test func linesBreakAtGapsAndStayNearTheFrame() {
    let axes = Axes(
      x: Axis(limits: 0...10), y: Axis(limits: 0...10), frame: Rectangle(x: 0, y: 0, width: 100, height: 100))
    let line = Polyline(
      [(0, 1), (1, 2), (2, .nan), (3, 4), (4, .infinity), (5, 5), (6, 1e8), (7, 5)].map { Point(x: $0, y: $1) },
      in: axes)
    #expect(line.lines.count == 3)
    #expect(line.dots == [Point(x: 30, y: 60)])
    for point in line.lines.joined() { #expect(abs(point.x) < 200 && abs(point.y) < 200) }
  }

  @Test func longLinesKeepTheirExtremes() {
    let axes = Axes(
      x: Axis(limits: 0...100_000), y: Axis(limits: -1...1), frame: Rectangle(x: 0, y: 0, width: 100, height: 100))
    var points = (0..<100_000).map { Point(x: Double($0), y: 0) }
    points[31_234].y = 1
    points[77_777].y = -1
    let line = Polyline(points, in: axes)
    let places = Array(line.lines.joined())
    #expect(places.count <= 4 * 4 * 101)
    #expect(places.contains { $0.y == 0 })
    #expect(places.contains { $0.y == 100 })
  }
}
