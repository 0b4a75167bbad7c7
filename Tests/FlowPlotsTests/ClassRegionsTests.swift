import Testing

@testable import FlowPlots

@Suite struct ClassRegionsTests {
  @Test func cellsHaveTheColoursOfTheirClasses() throws {
    // Row 0 is at the bottom and certainly of class 0. In row 1, the left cell is of class 1 and the right one is
    // unknown.
    let plot = ClassRegions(
      probabilities: [1, 0, 1, 0, 0, 1, .nan, .nan], rows: 2, columns: 2, classes: 2, x: 0...1, y: 0...1,
      points: [0.25, 0.75], labels: [0])
    let image = try #require(DecodedPNG(try plot.encoded(as: .png)))
    #expect(
      image.width == Int((plot.size.width * 2).rounded()) && image.height == Int((plot.size.height * 2).rounded()))
    func pixel(_ x: Double, _ y: Double) -> UInt32 {
      image.pixel(at: Point(x: 62 + 320 * x, y: 16 + 320 * (1 - y)))
    }
    func light(_ number: Int) -> UInt32 {
      let color = ClassRegions.color(of: number)
      return Color(red: 1 + 0.4 * (color.red - 1), green: 1 + 0.4 * (color.green - 1), blue: 1 + 0.4 * (color.blue - 1))
        .pixel
    }
    #expect(pixel(0.3, 0.3) == light(0) && pixel(0.8, 0.2) == light(0))
    #expect(pixel(0.1, 0.9) == light(1))
    #expect(pixel(0.9, 0.9) == Theme.missing.pixel)
    // The point is of class 0, but the model predicts class 1 there.
    #expect(pixel(0.25, 0.75) != light(1))
  }

  @Test func anythingCanBeDrawn() throws {
    let plot = ClassRegions(
      probabilities: [Double](repeating: .nan, count: 9), rows: 1, columns: 1, classes: 9, x: 0...1, y: -5...5,
      points: [.infinity, 0, 0.5, 0.5], labels: [8, 20],
      title: "a title that is a good deal longer than the panel is wide")
    #expect(throws: Never.self) { try plot.encoded(as: .svg) }
  }
}
