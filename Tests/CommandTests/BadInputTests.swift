import FlowIO
import Foundation
import Testing

/// Whatever is wrong, a user gets one sentence that names the thing and the fix, and the documented exit code; nothing
/// is overwritten.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BadInputTests {
  /// A call that has to fail.
  struct Case: CustomTestStringConvertible, Sendable {
    let arguments: [String]
    let code: Int32
    /// What the sentence has to contain.
    let words: [String]
    var environment: [String: String] = [:]

    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let train = ["train", "--out", "new"]

  static let cases: [Case] = [
    // Words and flags
    Case(arguments: ["trian"], code: 64, words: ["trian", "did you mean 'train'"]),
    Case(arguments: ["train", "--dta", "x"], code: 64, words: ["--dta", "--data"]),
    Case(arguments: ["train", "--data", "pinwheel"], code: 64, words: ["--out"]),
    Case(arguments: train, code: 64, words: ["--data", "cnf datasets"]),
    Case(arguments: train + ["--data", "pinwhel"], code: 64, words: ["pinwhel", "did you mean 'pinwheel'"]),
    Case(arguments: train + ["--data", "moons", "--rtol", "0"], code: 64, words: ["rtol", "positive"]),
    Case(arguments: train + ["--data", "moons", "--atol", "-1"], code: 64, words: ["atol is -1", "positive"]),
    Case(arguments: train + ["--data", "moons", "--rtol", "nan"], code: 64, words: ["rtol", "positive"]),
    Case(arguments: train + ["--data", "moons", "--steps", "many"], code: 64, words: ["many", "--steps"]),
    Case(arguments: train + ["--data", "moons", "--steps", "0"], code: 64, words: ["--steps", "--seconds"]),
    Case(arguments: train + ["--data", "moons", "--hidden", "8,x"], code: 64, words: ["8,x", "--hidden"]),
    Case(arguments: train + ["--data", "moons", "--batch-size", "0"], code: 64, words: ["batch-size is 0"]),
    Case(
      arguments: train + ["--data", "moons", "--hidden", "65536,65536"], code: 64,
      words: ["hidden", "4295426050 parameters", "17181704200 bytes", "narrower"]),
    Case(
      arguments: train + ["--data", "pinwheel", "--transform", "marginals"], code: 64,
      words: ["marginals", "levels", "standardise"]),
    Case(arguments: train + ["--data", "moons", "--threads", "-2"], code: 64, words: ["threads is -2"]),
    Case(arguments: train + ["--data", "moons", "--activation", "tnh"], code: 64, words: ["'tnh'", "'tanh'"]),
    Case(arguments: train + ["--data", "moons", "--solver", "dopri"], code: 64, words: ["'dopri'", "'dopri5'"]),
    Case(arguments: train + ["--data", "moons", "--solver", "huen"], code: 64, words: ["'huen'", "'heun'"]),
    Case(
      arguments: train + ["--data", "moons", "--controller", "integrl"], code: 64,
      words: ["controller 'integrl'", "did you mean 'integral'"]),
    Case(
      arguments: train + ["--data", "moons", "--controller", "pid:1,0,0"], code: 64,
      words: ["controller 'pid:1,0,0'", "three numbers", "pid:0.3,0.4,0.1"]),
    Case(
      arguments: train + ["--data", "moons", "--norm", "mx"], code: 64, words: ["norm 'mx'", "did you mean 'max'"]),
    Case(
      arguments: train + ["--data", "moons", "--solver", "implicit_adams", "--fixed-steps", "9"], code: 64,
      words: ["implicit_adams", "--adjoint continuous"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "continous"], code: 64,
      words: ["'continous'", "did you mean 'continuous'"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "continuous", "--precision", "mixed"], code: 64,
      words: ["adjoint is continuous", "--precision"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "reversible"], code: 64,
      words: ["adjoint is reversible", "--solver reversible_heun"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "continuous", "--solver", "reversible_heun"], code: 64,
      words: ["reversible_heun", "--adjoint reversible"]),
    Case(
      arguments: train + ["--data", "moons", "--solver", "leapfrog"], code: 64, words: ["leapfrog", "--fixed-steps"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "binomal"], code: 64,
      words: ["'binomal'", "did you mean 'binomial'"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "every-0"], code: 64, words: ["'every-0'", "such as every-8"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "every-stp"], code: 64,
      words: ["'every-stp'", "did you mean 'every-step'"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "binomial", "--adjoint-bytes", "-1"], code: 64,
      words: ["adjoint-bytes is -1"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "every-4", "--adjoint-bytes", "4096"], code: 64,
      words: ["adjoint-bytes", "adjoint every-4 does not use"]),
    Case(
      arguments: train + ["--data", "moons", "--adjoint", "binomial", "--backend", "swift"], code: 64,
      words: ["adjoint is binomial", "every-8"]),
    Case(
      arguments: train + ["--data", "moons", "--objective", "flow-matchin"], code: 64,
      words: ["'flow-matchin'", "did you mean 'flow-matching'"]),
    Case(
      arguments: train + ["--data", "moons", "--objective", "flow-matching", "--kinetic", "0.1"], code: 64,
      words: ["flow-matching", "kinetic"]),
    Case(
      arguments: train + ["--data", "moons", "--objective", "flow-matching", "--path", "linaer"], code: 64,
      words: ["'linaer'", "did you mean 'linear'"]),
    Case(arguments: train + ["--data", "moons", "--base", "mixture:0"], code: 64, words: ["mixture:0", "mixture:8"]),
    Case(arguments: train + ["--data", "moons", "--base", "uniform"], code: 64, words: ["uniform", "flow-matching"]),
    Case(arguments: train + ["--data", "moons", "--solver", "rk4"], code: 64, words: ["rk4", "--fixed-steps"]),
    Case(arguments: train + ["--data", "moons", "--step-size", "0"], code: 64, words: ["step-size is 0", "positive"]),
    Case(
      arguments: train + ["--data", "moons", "--step-size", "1e-9"], code: 64,
      words: ["step-size is 1e-09", "more than 1000000 steps", "at least 1e-06"]),
    Case(
      arguments: train + ["--data", "moons", "--fixed-steps", "4", "--step-size", "0.1"], code: 64,
      words: ["fixed-steps", "step-size", "exclude"]),
    Case(
      arguments: train + ["--data", "moons", "--layer", "concatsquish"], code: 64,
      words: ["'concatsquish'", "did you mean 'concatsquash'"]),
    Case(
      arguments: train + ["--data", "moons", "--layer", "hyper", "--time-features", "2"], code: 64,
      words: ["time-features", "hyper"]),
    Case(
      arguments: train + ["--data", "moons", "--layer", "blend", "--hyper-units", "2"], code: 64,
      words: ["hyper-units", "blend", "--layer hyper"]),
    Case(
      arguments: train + ["--data", "moons", "--layer", "hyper", "--hyper-units", "-1"], code: 64,
      words: ["hyper-units is -1", "1024"]),
    Case(arguments: train + ["--data", "moons", "--dropout", "1"], code: 64, words: ["dropout is 1", "below 1"]),
    Case(
      arguments: train + ["--data", "moons", "--time-features", "-1"], code: 64, words: ["time-features is -1", "4096"]),
    Case(arguments: train + ["--data", "moons", "--kinetic", "-1"], code: 64, words: ["kinetic is -1", "positive"]),
    Case(
      arguments: train + ["--data", "moons", "--frobenius", "nan"], code: 64, words: ["frobenius is nan", "positive"]),
    Case(arguments: train + ["--data", "moons", "--frobenius", "x"], code: 64, words: ["x", "--frobenius"]),
    Case(
      arguments: train + ["--data", "moons", "--frobenius", "0.01", "--trace", "exactProduct"], code: 64,
      words: ["frobenius", "exactProduct", "--trace automatic"]),
    Case(arguments: train + ["--data", "moons", "--trace", "exakt"], code: 64, words: ["'exakt'", "'exact'"]),
    Case(arguments: train + ["--data", "moons", "--backend", "rust"], code: 64, words: ["'rust'", "swift"]),
    Case(
      arguments: train + ["--data", "moons"], code: 64, words: ["CNF_ISA", "avx9", "generic"],
      environment: ["CNF_ISA": "avx9"]),
    Case(arguments: ["bench", "--workload", "W1,W9"], code: 64, words: ["'W9'", "did you mean 'W1'"]),
    Case(arguments: ["bench", "--isa", "avx51"], code: 64, words: ["'avx51'", "did you mean 'avx512'"]),
    Case(arguments: ["bench", "--seconds", "0"], code: 64, words: ["--seconds is 0", "above 0"]),
    Case(arguments: ["bench", "--threads", "-1"], code: 64, words: ["--threads is -1"]),
    // Config files
    Case(arguments: train + ["--config", "absent.yaml"], code: 65, words: ["absent.yaml"]),
    Case(arguments: train + ["--config", "key.yaml"], code: 64, words: ["'hiden'", "did you mean 'hidden'"]),
    Case(arguments: train + ["--config", "value.yaml"], code: 64, words: ["steps is 'many'", "whole number"]),
    Case(arguments: train + ["--config", "broken.yaml"], code: 65, words: ["broken.yaml", "YAML"]),
    // Data
    Case(arguments: train + ["--data", "absent.npy"], code: 65, words: ["absent.npy", "no such file"]),
    Case(arguments: train + ["--data", "./points.xls"], code: 64, words: ["points.xls", ".npy", ".csv"]),
    Case(arguments: train + ["--data", "nan.csv"], code: 65, words: ["nan.csv", "nan", "line 2, column 1"]),
    Case(arguments: train + ["--data", "infinite.npy"], code: 65, words: ["infinite.npy", "inf", "row 1, column 2"]),
    Case(arguments: train + ["--data", "ragged.csv"], code: 65, words: ["ragged.csv", "line 2", "3 columns"]),
    Case(arguments: train + ["--data", "text.csv"], code: 65, words: ["text.csv", "'four'", "line 2, column 2"]),
    Case(arguments: train + ["--data", "empty.csv"], code: 65, words: ["empty.csv"]),
    Case(arguments: train + ["--data", "few.csv"], code: 65, words: ["few.csv", "2 rows", "at least 4"]),
    Case(arguments: train + ["--data", "empty.npy"], code: 65, words: ["empty.npy", "no rows"]),
    Case(arguments: train + ["--data", "scalar.npy"], code: 65, words: ["scalar.npy", "shape"]),
    Case(arguments: train + ["--data", "cut.npy"], code: 65, words: ["cut.npy"]),
    // Folders
    Case(
      arguments: ["train", "--data", "moons", "--out", "file.txt/run"], code: 1,
      words: ["file.txt/run", "another folder"]),
    Case(
      arguments: ["train", "--data", "moons", "--out", "/proc/run"], code: 1, words: ["/proc/run", "another folder"]),
    Case(
      arguments: ["train", "--data", "moons", "--out", "run"], code: 64, words: ["run holds a run", "--resume run"]),
    Case(arguments: ["train", "--resume", "absent"], code: 65, words: ["absent", "--out"]),
    Case(arguments: ["train", "--resume", "run", "--hidden", "4"], code: 64, words: ["hidden", "resume"]),
    Case(arguments: ["train", "--resume", "run", "--out", "new"], code: 64, words: ["--out", "--resume"]),
    // Runs and checkpoints
    Case(arguments: ["evaluate", "absent"], code: 65, words: ["absent", "cnf train"]),
    Case(arguments: ["evaluate", "folder"], code: 65, words: ["folder", "no config.yaml"]),
    Case(arguments: ["evaluate", "cut"], code: 65, words: ["cut/best.safetensors"]),
    Case(arguments: ["train", "--resume", "cut"], code: 65, words: ["cut/checkpoint.safetensors"]),
    Case(arguments: ["evaluate", "altered"], code: 65, words: ["altered/best.safetensors"]),
    Case(arguments: ["train", "--resume", "altered"], code: 65, words: ["altered/checkpoint.safetensors"]),
    Case(
      arguments: ["logprob", "run", "--data", "wide.csv"], code: 65, words: ["wide.csv", "3 columns", "trained on 2"]),
    Case(
      arguments: ["evaluate", "run", "--data", "digits"], code: 65, words: ["digits", "64 columns", "trained on 2"]),
    Case(arguments: ["logprob", "run"], code: 64, words: ["--data"]),
    Case(arguments: ["logprob", "run", "--data", "wide.csv", "--out", "l.txt"], code: 64, words: ["l.txt", ".npy"]),
    Case(arguments: ["sample", "run", "-n", "0"], code: 64, words: ["-n is 0"]),
    Case(arguments: ["sample", "run"], code: 64, words: ["-n"]),
    Case(arguments: ["sample", "run", "-n", "3", "--out", "absent/s.npy"], code: 1, words: ["absent/s.npy"]),
    Case(arguments: ["plot", "run", "--kind", "densty"], code: 64, words: ["'densty'", "'density'"]),
    Case(arguments: ["plot", "run", "--out", "p.gif"], code: 64, words: ["p.gif", ".png"]),
  ]

  @Test func oneSentenceAndTheRightCode() throws {
    let folder = try Self.folder()
    let before = try folder.contents(of: ".").filter { !$0.key.hasPrefix(".") }
    for failing in Self.cases {
      let outcome = try Program.start(failing.arguments, in: folder, environment: failing.environment).outcome()
      let name = Comment(rawValue: "\(failing.testDescription): exit \(outcome.code), \(outcome.errors)")
      #expect(outcome.code == failing.code, name)
      #expect(outcome.output.isEmpty, name)
      #expect(outcome.errors.hasPrefix("cnf: ") && outcome.errors.filter { $0 == "\n" }.count == 1, name)
      for word in failing.words { #expect(outcome.errors.contains(word), "no '\(word)' in: \(name)") }
    }
    #expect(try folder.contents(of: ".").filter { !$0.key.hasPrefix(".") } == before)
    #expect(!folder.exists("new"))
  }

  /// A result that cannot be written is a failure.
  @Test func aResultThatCannotBeWrittenIsAFailure() throws {
    let folder = try Self.folder()
    try folder.write("0.5,1\n", to: "point.csv")
    let calls = [
      "info", "info --json", "datasets", "--help", "--version", "evaluate run", "evaluate run --json",
      "sample run -n 3", "logprob run --data point.csv", "plot run --json",
      "bench --kernels --isa generic --seconds 0.001 --quiet",
    ]
    for call in calls {
      let outcome = try Program.start(
        call.split(separator: " ").map(String.init), in: folder, outputPath: "/dev/full"
      ).outcome()
      #expect(outcome.code == 1, "\(call): \(outcome.code)")
      #expect(outcome.errors.contains("standard output"), "\(call): \(outcome.errors)")
      #expect(outcome.errors.filter { $0 == "\n" }.count == 1, "\(call): \(outcome.errors)")
    }
  }

  /// A run splits its file into training, validation and held-out samples, so a changed file must be noticed.
  @Test func dataThatHaveChangedAreNoticed() throws {
    let folder = try TemporaryFolder()
    let rows = (0..<40).map { "\($0 % 7),\($0 % 5)" }
    try folder.write(rows.joined(separator: "\n"), to: "points.csv")
    let flags = Array(TrainedFolder.smallRun.dropFirst(4)) + ["--steps", "4"]
    let trained = try Program.start(["train", "--out", "r", "--data", "points.csv"] + flags, in: folder).outcome()
    #expect(trained.code == 0, "\(trained.errors)")
    #expect(try Program.run("evaluate", "r", in: folder).code == 0)
    let before = try folder.contents(of: "r")

    let changes = [rows.dropLast() + ["5.5,4"], rows + ["1,1"], rows.map { $0 + ",1" }]
    for (change, found) in zip(changes, ["40 rows, 2 columns", "41 rows, 2 columns", "40 rows, 3 columns"]) {
      try folder.write(change.joined(separator: "\n"), to: "points.csv")
      for call in [["train", "--resume", "r", "--steps", "6"], ["evaluate", "r"], ["plot", "r"]] {
        let outcome = try Program.start(call, in: folder).outcome()
        #expect(outcome.code == 65, "\(call): \(outcome.errors)")
        for word in ["points.csv has changed", "from 40 rows, 2 columns", "to \(found)", "put the old file back"] {
          #expect(outcome.errors.contains(word), "no '\(word)' in \(outcome.errors)")
        }
      }
      #expect(try folder.contents(of: "r") == before)
    }
    // The run's settings still train a new run, on the changed file.
    let anew = try Program.run("train", "--config", "r/config.yaml", "--out", "new", "--quiet", in: folder)
    #expect(anew.code == 0, "\(anew.errors)")
    try folder.write(rows.joined(separator: "\n"), to: "points.csv")
    let resumed = try Program.run("train", "--resume", "r", "--steps", "6", "--quiet", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
  }

  /// A folder with everything that the cases need, and an undamaged run.
  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("data: moons\nhiden: [4]\n", to: "key.yaml")
    try folder.write("data: moons\nsteps: many\n", to: "value.yaml")
    try folder.write("data: [moons\n", to: "broken.yaml")
    try folder.write("1,2\nnan,3\n4,5\n", to: "nan.csv")
    try folder.write("1,2\n1,2,3\n", to: "ragged.csv")
    try folder.write("1,2\n3,four\n", to: "text.csv")
    try folder.write("", to: "empty.csv")
    try folder.write("1,2\n3,4\n", to: "few.csv")
    try folder.write("1,2,3\n4,5,6\n", to: "wide.csv")
    try folder.write("no folder", to: "file.txt")
    try NumPyFile.write(NumPyArray(shape: [1, 2], floats: [1, .infinity]), to: folder.file("infinite.npy"))
    try NumPyFile.write(NumPyArray(shape: [0, 2], floats: []), to: folder.file("empty.npy"))
    try NumPyFile.write(NumPyArray(shape: [], floats: [1]), to: folder.file("scalar.npy"))
    let whole = NumPyFile.serialized(NumPyArray(shape: [9, 2], floats: Array(repeating: 1, count: 18)))
    try Data(whole.dropLast(7)).write(to: URL(fileURLWithPath: folder.file("cut.npy")))
    try FileManager.default.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: true)
    let (trained, _) = try TrainedFolder.shared.get()
    for copy in ["run", "cut", "altered"] {
      try FileManager.default.copyItem(atPath: trained.file("run"), toPath: folder.file(copy))
    }
    for file in ["best.safetensors", "checkpoint.safetensors"] {
      try damage(folder.file("cut/\(file)")) { $0.removeLast(5) }
      // Flips one bit of one weight.
      try damage(folder.file("altered/\(file)")) { $0[$0.count - 3] ^= 4 }
    }
    return folder
  }

  private static func damage(_ path: String, _ change: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    change(&bytes)
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}
