/// The word that was probably meant.
enum Suggestion {
  /// The nearest of `words`, unless even that is too far away to be a slip of the keyboard.
  static func nearest(to word: String, among words: [String]) -> String? {
    let word = word.lowercased()
    let nearest = words.map { (word: $0, distance: distance(word, $0.lowercased())) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(2, word.count / 3) else { return nil }
    return nearest.word
  }

  /// " Did you mean 'x'?", or what there is to choose from.
  static func sentence(for word: String, among words: [String]) -> String {
    if let nearest = nearest(to: word, among: words) { return "did you mean '\(nearest)'?" }
    return "take one of \(words.joined(separator: ", "))"
  }

  /// Insertions, deletions, substitutions and exchanges of neighbours that make `second` of `first`: the restricted
  /// Damerau-Levenshtein distance.
  static func distance(_ first: String, _ second: String) -> Int {
    let first = Array(first)
    let second = Array(second)
    var rows = [Array(0...second.count)]
    for i in first.indices {
      var row = [i + 1]
      for j in second.indices {
        var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (first[i] == second[j] ? 0 : 1))
        if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
          best = min(best, rows[i - 1][j - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[first.count][second.count]
  }
}
