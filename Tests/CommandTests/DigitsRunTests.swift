import Foundation
import Testing

/// A run on the digits: its plots, and what becomes of raw levels.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DigitsRunTests {
  /// A program that was copied without the folder of its data says which folder is missing.
  @Test func theProgramAloneHasNoDigits() throws {
    let folder = try TemporaryFolder()
    let copy = folder.file("cnf")
    try FileManager.default.copyItem(atPath: Program.path, toPath: copy)
    let outcome = try Program.start(
      ["train", "--data", "digits", "--out", "d", "--steps", "1"], in: folder, program: copy
    ).outcome()
    #expect(outcome.code == 1 && outcome.errors.contains("swift-cnf_ContinuousFlows.resources"), "\(outcome.errors)")
    #expect(!folder.exists("d"))
  }

  @Test func digitsGetASampleGrid() throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.run(
      "train", "--data", "digits", "--out", "d", "--hidden", "16", "--steps", "3", "--fixed-steps", "2",
      "--evaluation-solver", "rk4", "--evaluation-fixed-steps", "2", "--json", in: folder)
    Program.expectSuccess(outcome)
    #expect(folder.exists("d/plots/samples.png") && folder.exists("d/plots/training.png"))
    #expect(try outcome.json["count"] == 360)

    // Raw levels, where the flow needs (k + u) / 17, have density 0, which is reported; their mean is refused.
    let row = (0..<64).map { "\($0 % 17)" }.joined(separator: ",")
    let inside = Array(repeating: "0.5", count: 64).joined(separator: ",")
    let huge = (["1e30"] + Array(repeating: "0.5", count: 63)).joined(separator: ",")
    try folder.write("\(inside)\n\(row)\n\(huge)\n", to: "levels.csv")
    try folder.write("\(inside)\n\(inside)\n", to: "inside.csv")
    let densities = try Program.run("logprob", "d", "--data", "levels.csv", in: folder)
    Program.expectSuccess(densities)
    let values = densities.output.split(separator: "\n").map { Double($0) ?? .nan }
    #expect(values.count == 3 && values[0].isFinite && values[1] == -.infinity && values[2] == -.infinity)
    #expect(
      densities.errors.contains(
        "2 of 3 samples have density 0 (-inf), because this flow has a density only for values from 0 to 1"))
    #expect(densities.errors.contains("(k + u) / 17"))
    let refused = try Program.run("evaluate", "d", "--data", "levels.csv", in: folder)
    #expect(refused.code == 65 && refused.output.isEmpty)
    #expect(refused.errors.contains("levels.csv holds 2.0 in row 2, column 3"), "\(refused.errors)")
    #expect(refused.errors.contains("(k + u) / 17"))
    Program.expectSuccess(try Program.run("evaluate", "d", "--data", "inside.csv", in: folder))
    let quiet = try Program.run("logprob", "d", "--data", "inside.csv", in: folder)
    #expect(quiet.code == 0 && quiet.errors.isEmpty)
  }
}
