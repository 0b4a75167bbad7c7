/// The common style of all plots: colours, and font sizes and distances in points.
enum Theme {
  static let text = Color(hex: 0x262626)
  static let faintText = Color(hex: 0x6B6B6B)
  static let grid = Color(hex: 0xE4E4E4)
  static let minorGrid = Color(hex: 0xF2F2F2)
  static let frame = Color(hex: 0xB0B0B0)
  /// The background of a cell without a value.
  static let missing = Color(hex: 0xEDEDED)

  static let tickFont = Font(size: 10)
  static let labelFont = Font(size: 11.5)
  static let panelFont = Font(size: 13)
  static let titleFont = Font(size: 15, bold: true)

  static let margin = 16.0
  static let hairline = 0.75

  /// Colours that people with any common colour blindness can tell apart, by M. Okabe and K. Ito (2008). They are
  /// ordered by legibility on white; the yellow, which is not legible there, is left out.
  static let palette = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000].map { Color(hex: $0) }

  /// The colours of data and of the model, the same in every plot.
  static let data = palette[0]
  static let model = palette[1]

  /// The style of the `index`-th series: first all colours solid, then the same colours dashed.
  static func stroke(ofSeries index: Int) -> Stroke {
    let dashes = [[], [6.0, 3.0], [2.0, 2.0], [8.0, 3.0, 2.0, 3.0]]
    return Stroke(
      color: palette[index % palette.count], width: 1.75, dash: dashes[index / palette.count % dashes.count])
  }

  /// The style of `count` dots. More dots are smaller and fainter, so that their density stays visible.
  static func dot(count: Int, color: Color) -> (radius: Double, color: Color) {
    let count = Double(max(count, 1))
    let radius = min(max(2.5 * (400 / count).squareRoot().squareRoot(), 0.8), 2.5)
    return (radius, color.with(alpha: min(max(20 / count.squareRoot(), 0.08), 0.85)))
  }
}
