import Foundation
import Testing

/// Messages use the flags of the command that was called, and are about the thing that is wrong.
@Suite(.serialized, .timeLimit(.minutes(3))) struct WordingTests {
  private let folder = try! TemporaryFolder()

  private func refused(_ arguments: [String], code: Int32 = 64, _ words: [String], not: [String] = []) throws {
    let outcome = try Program.start(arguments, in: folder).outcome()
    let name = Comment(rawValue: "\(arguments): \(outcome.code), \(outcome.errors)")
    #expect(outcome.code == code && outcome.output.isEmpty, name)
    #expect(outcome.errors.hasPrefix("cnf: ") && outcome.errors.split(separator: "\n").count == 1, name)
    for word in words { #expect(outcome.errors.contains(word), "no '\(word)': \(name)") }
    for word in not { #expect(!outcome.errors.contains(word), "'\(word)': \(name)") }
    #expect(!folder.exists("new"), name)
  }

  private func train(_ name: String, _ flags: String...) throws -> Program.Outcome {
    let common = ["train", "--out", name, "--steps", "2", "--hidden", "8", "--count", "100"]
    return try Program.start(common + flags, in: folder).outcome()
  }

  @Test func laterCommandsNameTheirOwnFlags() throws {
    let trained = try train("run", "--data", "pinwheel", "--quiet")
    #expect(trained.code == 0, "\(trained.errors)")
    for command in [["evaluate", "run"], ["sample", "run", "-n", "1"]] {
      for (flags, words) in [
        (
          ["--solver", "implicit_adams"],
          "solver is implicit_adams, which cannot choose its own steps: give --fixed-steps N"
        ),
        (["--rtol", "-1"], "rtol is -1.0"), (["--fixed-steps", "-3"], "fixed-steps is -3"),
        (["--fixed-steps", "0"], "for adaptive steps give --rtol"), (["--step-size", "-1"], "step-size is -1"),
        (["--fixed-steps", "2", "--step-size", "0.5"], "fixed-steps and step-size exclude"),
        (["--solver", "rodas4", "--trace", "hutchinson"], "solver is rodas4, which computes every tangent"),
        (["--trace", "exakt"], "trace 'exakt'"),
      ] {
        try refused(command + flags, [words], not: ["evaluation"])
      }
    }
    try folder.write("1,2\n", to: "pair.csv")
    try refused(
      ["evaluate", "run", "--data", "pair.csv", "--targets", "1"], ["--targets", "another model (flow)"],
      not: ["--model"])
    try refused(
      ["plot", "run", "--kind", "classes", "--out", "p.png"],
      ["(flow, 2 dimensions, trained by likelihood)", "take density"])
    let affine = try Program.run(
      "train", "--out", "affine", "--data", "pinwheel", "--model", "affine", "--steps", "2", "--quiet", in: folder)
    #expect(affine.code == 0, "\(affine.errors)")
    try refused(
      ["plot", "affine", "--kind", "paths", "--out", "p.png"], ["(affine flow, 2 dimensions", "take density"],
      not: ["whose data"])
  }

  @Test func trainNamesWhatIsWrong() throws {
    func new(_ flags: String...) -> [String] { ["train", "--out", "new", "--data", "pinwheel"] + flags }
    try refused(
      new("--model", "affine", "--hidden", "3,3"), ["hidden is [3, 3], which model affine", "leave --hidden out"])
    for flags in [
      ["--model", "coupling", "--solver", "rk4"], ["--objective", "flow-matching", "--solver", "rk4"],
    ] {
      try refused(
        new() + flags, ["solver is rk4, which \(flags[0].dropFirst(2)) \(flags[1])", "leave --solver out"],
        not: ["--fixed-steps"])
    }
    try refused(
      new("--model", "residual-network", "--rtol", "1e-2"), ["rtol is 0.01, which model residual-network"],
      not: ["--fixed-steps"])
    try refused(
      new("--model", "classifier", "--condition-columns", "1"), ["condition-columns is 1", "--condition-columns out"])
    try refused(new("--solver", "rodas4", "--precision", "mixed"), ["solver is rodas4", "precision is mixed"])
    try refused(new("--solver", "rodas4", "--trace", "hutchinson"), ["solver is rodas4", "trace is hutchinson"])
    for flag in ["--trace", "--evaluation-trace"] {
      try refused(new("--model", "potential", flag, "hutchinson"), ["trace is hutchinson", "whose trace is exact"])
    }
    try refused(new("--step-size", "0.25", "--objective", "flow-matching"), ["step-size is 0.25", "--step-size out"])
  }

  /// What the kernels refuse is refused before the folder is created: here, halves of three rows.
  @Test func noFolderIsMadeForWhatCannotBegin() throws {
    try folder.write((0..<40).map { "\($0 % 7),\($0 % 5),\($0 % 3)" }.joined(separator: "\n"), to: "three.csv")
    let outcome = try Program.run(
      "train", "--out", "new", "--data", "three.csv", "--solver", "leapfrog", "--fixed-steps", "2", "--quiet",
      in: folder)
    #expect(outcome.code == 1 && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(!folder.exists("new"))
  }

  @Test func contextsAreNoData() throws {
    try folder.write((0..<60).map { "\($0 % 7),\($0 % 5)" }.joined(separator: "\n"), to: "two.csv")
    try folder.write("1\n2\n", to: "points.csv")
    let trained = try train("conditional", "--data", "two.csv", "--condition-columns", "1", "--quiet")
    #expect(trained.code == 0, "\(trained.errors)")
    try folder.write("1,2\n3,4\n", to: "pairs.csv")
    try refused(
      ["logprob", "conditional", "--data", "points.csv", "--context", "pairs.csv"], code: 65,
      ["pairs.csv has 2 columns", "conditioned on 1"], not: ["trained on"])
  }

  /// Data with one class cannot be classified, and a constant column has no density.
  @Test func dataThatTeachNothingAreNamed() throws {
    try folder.write((0..<60).map { "\($0 % 7),\($0 % 5),3" }.joined(separator: "\n"), to: "one.csv")
    try refused(
      ["train", "--out", "new", "--data", "one.csv", "--model", "classifier", "--targets", "1"], code: 65,
      ["one.csv has only one class, 3", "at least two"])
    let lines = try Program.run(
      "train", "--out", "constant", "--data", "one.csv", "--model", "affine", "--steps", "2", in: folder
    )
    let remarks = lines.errors.split(separator: "\n").filter {
      $0.contains("column 3 of") && $0.contains("is 3.0 in every")
    }
    #expect(lines.code == 0 && remarks.count == 1 && remarks[0].hasPrefix("cnf: "), "\(lines.errors)")
    let varying = try Program.run(
      "train", "--out", "varying", "--data", "moons", "--count", "100", "--model", "affine", "--steps", "2", in: folder)
    #expect(varying.code == 0 && !varying.errors.contains("in every sample"), "\(varying.errors)")
  }

  /// Methods for positions and momenta are symplectic only for a separable energy.
  @Test(arguments: ["leapfrog", "yoshida4"]) func partitionedMethodsAreForSeparableEnergies(method: String) throws {
    let flags = ["--data", "moons", "--solver", method, "--fixed-steps", "2"]
    try refused(
      ["train", "--out", "new", "--model", "hamiltonian"] + flags, ["solver is \(method)", "train with --separable"])
    func remarks(_ outcome: Program.Outcome) -> [Substring] {
      #expect(outcome.code == 0, "\(outcome.errors)")
      return outcome.errors.split(separator: "\n").filter { $0.contains("symplectic") }
    }
    func train(_ name: String, _ more: String...) throws -> Program.Outcome {
      let common = ["train", "--out", name, "--steps", "2", "--hidden", "8", "--count", "100"]
      return try Program.start(common + flags + more, in: folder).outcome()
    }
    let plain = remarks(try train("plain"))
    #expect(plain.count == 1 && plain[0].hasPrefix("cnf: solver is \(method)"), "\(plain)")
    #expect(remarks(try train("separable", "--model", "hamiltonian", "--separable")).isEmpty)
    // Later commands read it from the run.
    let call = ["evaluate", "separable", "--solver", method, "--fixed-steps", "2"]
    #expect(remarks(try Program.start(call, in: folder).outcome()).isEmpty)
    let whole = try Program.run(
      "train", "--out", "whole", "--model", "hamiltonian", "--steps", "2", "--hidden", "8", "--count", "100", "--data",
      "moons", "--quiet", in: folder)
    #expect(whole.code == 0, "\(whole.errors)")
    try refused(["evaluate", "whole", "--solver", method, "--fixed-steps", "2"], ["solver is \(method)", "separable"])
  }
}
