/// The word that was probably meant: the one rule of the project, for methods, settings, commands and data sets.
public enum Suggestion {
  /// Those of `words` that could be meant by `word`, nearest first: few slips of the keyboard away, or one begins with the
  /// other. Upper and lower case do not matter.
  public static func near(_ word: String, among words: [String]) -> [String] {
    let word = word.lowercased()
    // Two slips, or more in long words: beyond a third of the letters everything is like everything.
    let limit = max(2, word.count / 3)
    let near = words.enumerated().compactMap { place, known -> (distance: Int, place: Int)? in
      let lowered = known.lowercased()
      let distance = distance(word, lowered)
      let isBeginning = word.count >= 2 && (lowered.hasPrefix(word) || word.hasPrefix(lowered))
      return distance <= limit || isBeginning ? (distance, place) : nil
    }
    return near.sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }.map { words[$0.place] }
  }

  /// "did you mean 'x'?", or what there is to choose from.
  public static func sentence(for word: String, among words: [String]) -> String {
    if let nearest = near(word, among: words).first { return "did you mean '\(nearest)'?" }
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
