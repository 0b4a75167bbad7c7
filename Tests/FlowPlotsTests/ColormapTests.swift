import Testing

@testable import FlowPlots

@Suite struct ColormapTests {
  @Test(arguments: [Colormap.viridis, .magma])
  func luminanceGrows(map: Colormap) {
    #expect(map.anchors.count >= 16)
    let luminance = (0...500).map { map.color(at: Double($0) / 500).luminance }
    for (low, high) in zip(luminance, luminance.dropFirst()) { #expect(low < high) }
  }

  @Test func endsAndBeyond() {
    let map = Colormap.viridis
    #expect(map.color(at: 0).pixel == 0xFF44_0154)
    #expect(map.color(at: 1).pixel == 0xFFFD_E725)
    #expect(map.color(at: -3) == map.color(at: 0))
    #expect(map.color(at: .infinity) == map.color(at: 1))
    #expect(map.color(at: .nan) == map.color(at: 0))
  }

  @Test func slicesAndAnchors() {
    let map = Colormap.magma
    let half = map.slice(0...0.5)
    #expect(half.color(at: 0) == map.color(at: 0))
    #expect(half.color(at: 1) == map.color(at: 0.5))
    // The anchors are at multiples of 1/17.
    #expect(map.color(at: 3.0 / 17).pixel == map.anchors[3].pixel)
  }

  @Test func greysOfKnownLuminance() {
    #expect(Color.black.luminance == 0)
    #expect(abs(Color.white.luminance - 1) < 1e-12)
    #expect(Theme.palette.allSatisfy { $0.luminance < 0.5 })
  }
}
