import Foundation

/// End states by the name of the problem, made by `Scripts/make_reference_solutions.py`.
enum References {
  static let all: [String: [Double]] = {
    guard let url = Bundle.module.url(forResource: "references", withExtension: "json"),
      let data = try? Data(contentsOf: url), let all = try? JSONDecoder().decode([String: [Double]].self, from: data)
    else { preconditionFailure("the test problems' references.json is missing or damaged") }
    return all
  }()
}
