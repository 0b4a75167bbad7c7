extension Canvas {
  /// `text` if it fits into `width` points, else the longest beginning that fits together with an ellipsis.
  func shortened(_ text: String, font: Font, width: Double) -> String {
    if self.width(of: text, font: font) <= width { return text }
    let letters = Array(text)
    // The width grows with the length, so a bisection finds the longest beginning that fits.
    var (fits, fails) = (0, letters.count)
    while fails - fits > 1 {
      let middle = (fits + fails) / 2
      if self.width(of: String(letters[..<middle]) + "…", font: font) <= width { fits = middle } else { fails = middle }
    }
    return String(letters[..<fits]) + "…"
  }
}
