/// The look all plots share: colours, type sizes and distances, in points.
enum Theme {
  static let text = Color(hex: 0x262626)
  static let faintText = Color(hex: 0x6B6B6B)
  static let grid = Color(hex: 0xE4E4E4)
  static let minorGrid = Color(hex: 0xF2F2F2)
  static let frame = Color(hex: 0xB0B0B0)
  /// Ground of a place where there is no value.
  static let missing = Color(hex: 0xEDEDED)

  static let tickFont = Font(size: 10)
  static let labelFont = Font(size: 11.5)
  static let panelFont = Font(size: 13)
  static let titleFont = Font(size: 15, bold: true)

  static let margin = 16.0
  static let hairline = 0.75

  /// Colours told apart under every common colour blindness: M. Okabe and K. Ito (2008), in the order in which they read
  /// best on white, without the yellow that does not.
  static let palette = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000].map { Color(hex: $0) }

  /// Colour of data and of what the model made of it, the same in every plot.
  static let data = palette[0]
  static let model = palette[1]

  /// The look of the `index`-th series: colours first, then the same colours dashed.
  static func stroke(ofSeries index: Int) -> Stroke {
    let dashes = [[], [6.0, 3.0], [2.0, 2.0], [8.0, 3.0, 2.0, 3.0]]
    return Stroke(
      color: palette[index % palette.count], width: 1.75, dash: dashes[index / palette.count % dashes.count])
  }

  /// Dots shrink and fade as they become many, so that a crowd shows its density rather than a blot.
  static func dot(count: Int, color: Color) -> (radius: Double, color: Color) {
    let crowd = Double(max(count, 1))
    let radius = min(max(2.5 * (400 / crowd).squareRoot().squareRoot(), 0.8), 2.5)
    return (radius, color.with(alpha: min(max(20 / crowd.squareRoot(), 0.08), 0.85)))
  }
}
