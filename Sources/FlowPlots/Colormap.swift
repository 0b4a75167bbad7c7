/// A mapping of numbers in 0...1 to colours, linear between its anchors.
public struct Colormap: Equatable, Sendable {
  /// The colours at evenly spaced numbers from 0 to 1, at least two.
  public let anchors: [Color]

  public init(anchors: [Color]) {
    precondition(anchors.count >= 2, "a colormap needs at least two anchors, not \(anchors.count)")
    self.anchors = anchors
  }

  private init(hex: [UInt32]) {
    self.init(anchors: hex.map { Color(hex: $0) })
  }

  /// The colour of `value`. Values outside 0...1 get the colour of the nearer end, and NaN that of 0.
  public func color(at value: Double) -> Color {
    let position = (value > 0 ? min(value, 1) : 0) * Double(anchors.count - 1)
    let index = min(Int(position), anchors.count - 2)
    let (low, high, share) = (anchors[index], anchors[index + 1], position - Double(index))
    return Color(
      red: low.red + share * (high.red - low.red),
      green: low.green + share * (high.green - low.green),
      blue: low.blue + share * (high.blue - low.blue))
  }

  /// The part of this map between two positions, stretched to 0...1. Use it to leave out ends that are too pale for
  /// lines on white.
  public func slice(_ part: ClosedRange<Double>) -> Colormap {
    let last = Double(anchors.count - 1)
    return Colormap(
      anchors: anchors.indices.map { index in
        color(at: part.lowerBound + (part.upperBound - part.lowerBound) * Double(index) / last)
      })
  }

  // Every fifteenth entry of the 256-entry tables of S. van der Walt and N. Smith (2015, CC0), perceptually uniform in
  // CAM02-UCS. Linear interpolation stays within 0.02 of each component of the full table.

  /// From dark blue through green to yellow.
  public static let viridis = Colormap(hex: [
    0x440154, 0x481769, 0x472A7A, 0x433D84, 0x3D4E8A, 0x355E8D, 0x2E6D8E, 0x297B8E, 0x23898E,
    0x1F978B, 0x21A585, 0x2EB37C, 0x46C06F, 0x65CB5E, 0x89D548, 0xB0DD2F, 0xD8E219, 0xFDE725,
  ])

  /// From black through purple and orange to cream.
  public static let magma = Colormap(hex: [
    0x000004, 0x090720, 0x1A1042, 0x311165, 0x4A1079, 0x621980, 0x792282, 0x912B81, 0xAA337D,
    0xC23B75, 0xD9466B, 0xEC5860, 0xF7725C, 0xFC8E64, 0xFEAA74, 0xFEC68A, 0xFDE2A3, 0xFCFDBF,
  ])
}
