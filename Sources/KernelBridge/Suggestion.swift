/// Suggestions for misspelt names: of methods, settings, commands and data sets.
public enum Suggestion {
  /// Those of `words` that are similar to `word`, most similar first.
  ///
  /// Two words are similar if few typing errors separate them, or if one begins with the other. Case does not matter.
  public static func near(_ word: String, among words: [String]) -> [String] {
    let word = word.lowercased()
    // Two errors, or more in long words. With more errors than a third of the letters, unrelated words would match.
    let limit = max(2, word.count / 3)
    let near = words.enumerated().compactMap { place, known -> (distance: Int, place: Int)? in
      let lowered = known.lowercased()
      let distance = distance(word, lowered)
      let isBeginning = word.count >= 2 && (lowered.hasPrefix(word) || word.hasPrefix(lowered))
      return distance <= limit || isBeginning ? (distance, place) : nil
    }
    return near.sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }.map { words[$0.place] }
  }

  /// "did you mean 'x'?", or a list of all `words` if none is similar.
  public static func sentence(for word: String, among words: [String]) -> String {
    if let nearest = near(word, among: words).first { return "did you mean '\(nearest)'?" }
    return "choose one of \(words.joined(separator: ", "))"
  }

  /// The number of insertions, deletions, substitutions and swaps of adjacent letters that turn `first` into `second`
  /// (the restricted Damerau-Levenshtein distance).
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
