import Foundation

/// The reference end states by the name of the problem. `Scripts/make_reference_solutions.py` computes them.
enum References {
  static let all: [String: [Double]] = {
    guard let url = Bundle.module.url(forResource: "references", withExtension: "json"),
      let data = try? Data(contentsOf: url), let all = try? JSONDecoder().decode([String: [Double]].self, from: data)
    else {
      preconditionFailure(
        "references.json of the test problems is missing or damaged: run Scripts/make_reference_solutions.py")
    }
    return all
  }()
}
