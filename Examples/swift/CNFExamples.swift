import ContinuousFlows
import Foundation

/// `cnf-examples` lists the examples; `cnf-examples NAME` runs one.
@main
enum CNFExamples {
  static func main() {
    guard let name = CommandLine.arguments.dropFirst().first else {
      for example in Example.all { print("\(example.name)\t\(example.summary)") }
      return
    }
    guard let example = Example.all.first(where: { $0.name == name }) else {
      fail("no example is called '\(name)'; choose one of \(Example.all.map(\.name).joined(separator: ", "))")
    }
    do {
      try example.run()
    } catch {
      fail("\(error)")
    }
  }

  private static func fail(_ words: String) -> Never {
    FileHandle.standardError.write(Data("cnf-examples: \(words)\n".utf8))
    exit(1)
  }
}
