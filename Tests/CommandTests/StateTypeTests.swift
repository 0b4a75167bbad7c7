import FlowIO
import Foundation
import Testing

/// `--dtype float64` solves a float32 model in double: tolerances below the rounding of float32 are then kept.
@Suite struct StateTypeTests {
  private static let fine = ["--rtol", "1e-10", "--atol", "1e-10", "--solver", "dopri8"]
  /// The smallest tolerance that float32 takes without many rejected steps.
  private static let floor = ["--rtol", "1e-6", "--atol", "1e-6", "--solver", "dopri8"]

  @Test func densitiesInDoubleKeepTheTolerance() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    let points = (0..<50).map { "\(sin(Double($0)) * 2),\(cos(Double(3 * $0)))" }.joined(separator: "\n")
    let own = try TemporaryFolder()
    try own.write(points + "\n", to: "points.csv")
    func densities(_ flags: [String]) throws -> [Double] {
      let outcome = try Program.start(
        ["logprob", folder.file("run"), "--data", "points.csv", "--out", "p.npy"] + flags, in: own
      ).outcome()
      #expect(outcome.code == 0, "\(flags): \(outcome.errors)")
      return try NumPyFile.read(own.file("p.npy")).doubles()
    }
    func apart(_ one: [Double], _ other: [Double]) -> Double { zip(one, other).map { abs($0 - $1) }.max() ?? .nan }
    let double = ["--dtype", "float64"]
    let best = try densities(["--rtol", "1e-13", "--atol", "1e-13", "--solver", "dopri8"] + double)
    // At most 1,000 tolerances; float32 cannot resolve even a state of size 1 to 1e-8.
    #expect(apart(try densities(Self.fine + double), best) < 1e-7)
    let single = try densities(Self.floor)
    #expect(apart(single, best) > 1e-7 && apart(single, best) < 1e-3)
    #expect(try densities(Self.floor + ["--dtype", "float32"]) == single)

    // Evaluation and samples solve in double as well.
    func text(_ arguments: [String]) throws -> String {
      let outcome = try Program.start(arguments, in: own).outcome()
      #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
      return outcome.output
    }
    func nll(_ flags: [String]) throws -> Double {
      let json = try JSONValue(parsing: try text(["evaluate", folder.file("run"), "--json"] + flags))
      return json["nll_nats"]?.doubleValue ?? .nan
    }
    let difference = try nll(Self.floor + double) - nll(Self.floor)
    #expect(difference != 0 && abs(difference) < 1e-3, "\(difference)")
    for more in [[], ["--log-density"], ["--times", "0,0.5,1", "--log-density"]] {
      let call = ["sample", folder.file("run"), "-n", "20"] + Self.floor + more
      #expect(try text(call) != text(call + double), "\(more)")
    }
  }

  /// A tolerance that float32 cannot meet is not kept in silence.
  @Test func tolerancesBelowRoundingAreRemarked() throws {
    let (folder, _) = try TrainedFolder.shared.get()
    for (flags, isRemarked) in [
      (["--rtol", "1e-9"], true), (["--rtol", "1e-9", "--dtype", "float64"], false), (["--rtol", "1e-6"], false),
    ] {
      let outcome = try Program.start(["sample", folder.file("run"), "-n", "1"] + flags, in: folder).outcome()
      #expect(outcome.code == 0, "\(flags): \(outcome.errors)")
      #expect(outcome.errors.contains("below the rounding of float32") == isRemarked, "\(flags): \(outcome.errors)")
    }
  }

  @Test func otherWordsAndModelsAreRefused() throws {
    let (trained, _) = try TrainedFolder.shared.get()
    let folder = try TemporaryFolder()
    let wrong = try Program.run("sample", trained.file("run"), "-n", "1", "--dtype", "float46", in: folder)
    #expect(
      wrong.code == 64 && wrong.errors.contains("'float46'") && wrong.errors.contains("'float64'"), "\(wrong.errors)")
    let trainedClassifier = try Program.run(
      "train", "--data", "concentric", "--count", "100", "--model", "classifier", "--hidden", "8", "--steps", "1",
      "--out", "classes", "--quiet", in: folder)
    #expect(trainedClassifier.code == 0, "\(trainedClassifier.errors)")
    let other = try Program.run("evaluate", "classes", "--dtype", "float64", in: folder)
    #expect(other.code == 64 && other.errors.contains("leave --dtype out"), "\(other.errors)")
  }
}
