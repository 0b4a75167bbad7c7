extension Canvas {
  /// `text`, or as much of its beginning as fits into `width` points with an ellipsis.
  func shortened(_ text: String, font: Font, width: Double) -> String {
    if self.width(of: text, font: font) <= width { return text }
    let letters = Array(text)
    // The width grows with the length, so bisect for the longest that fits.
    var (fits, fails) = (0, letters.count)
    while fails - fits > 1 {
      let middle = (fits + fails) / 2
      if self.width(of: String(letters[..<middle]) + "…", font: font) <= width { fits = middle } else { fails = middle }
    }
    return String(letters[..<fits]) + "…"
  }
}
