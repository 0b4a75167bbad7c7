/// A short use of the library, for reading; the program `cnf-examples` runs it by name.
struct Example: Sendable {
  let name: String
  let summary: String
  let run: @Sendable () throws -> Void

  /// All of them. A new one is a file with a function, and a line here.
  static let all = [
    Example(name: "first", summary: "fit a flow to points, evaluate densities, draw samples", run: first)
  ]
}
