import ContinuousFlows

/// A method of the C library's table, by one of its names.
struct SolverMethod: SettingValue {
  static let dopri5 = SolverMethod(known: "dopri5")
  static let rk4 = SolverMethod(known: "rk4")
  static let euler = SolverMethod(known: "euler")

  /// As it was given: a method may have an alias.
  let name: String

  private init(known name: String) { self.name = name }

  init(text: String) throws(ValueError) {
    guard Methods.names.contains(text) else {
      throw .unknown(fix: Suggestion.sentence(for: text, among: Methods.names))
    }
    name = text
  }

  var text: String { name }
  static var words: [String] { Methods.names }

  /// Its row of the table.
  var row: ButcherTableau {
    guard let row = try? Methods.named(name) else { preconditionFailure("the library has no method \(name)") }
    return row
  }
}
