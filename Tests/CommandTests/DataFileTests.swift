import FlowIO
import Foundation
import Testing

/// Files of data as users have them: columns far from 0, and what makes figures meaningless.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DataFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let affine = [
    "--model", "affine", "--steps", "300", "--batch-size", "100", "--learning-rate", "0.01", "--transform",
    "standardise",
  ]

  private func train(
    _ data: String, to run: String, _ flags: [String] = affine, quiet: Bool = true
  ) throws -> Program.Outcome {
    let outcome = try Program.start(
      ["train", "--data", data, "--out", run, "--json"] + (quiet ? ["--quiet"] : []) + flags, in: folder
    ).outcome()
    #expect(outcome.code == 0, "\(outcome.errors)")
    return outcome
  }

  /// A normal number of 22 bits behind the point, so that it may be moved by 2³⁰ without rounding.
  private static func normal(_ index: Int) -> Double {
    var state = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func uniform() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return (Double(state >> 11) + 0.5) * 0x1p-53
    }
    let (u, v) = (uniform(), uniform())
    return ((-2 * log(u)).squareRoot() * cos(2 * .pi * v) * 0x1p22).rounded() * 0x1p-22
  }

  private func write(_ first: (Int) -> Double, count: Int = 1000, to name: String) throws {
    let values = (0..<count).flatMap { [first($0), Self.normal($0 + 7)] }
    try NumPyFile.write(NumPyArray(shape: [count, 2], doubles: values), to: folder.file(name))
  }

  /// The NLL of a Gaussian on a column of standard deviation `deviation` and on a standard normal one.
  private static func gaussian(_ deviation: Double) -> Double { 1 + log(2 * Double.pi * deviation) }

  /// Dates 20180130 and 20180131 by turns: of deviation ½. As floats they are 2 apart, and the NLL is off by log 2.
  @Test func datesKeepTheirLastDigit() throws {
    try write({ 20_180_130 + Double($0 % 2) }, to: "dates.npy")
    let json = try train("dates.npy", to: "dates").json
    // The deviation of 100 held-out values that are fitted to 900 others, a tenth of a nat each.
    for figure in ["gaussian_nll_nats", "nll_nats"] {
      #expect(abs((json[figure]?.doubleValue ?? .nan) - Self.gaussian(0.5)) < 0.25, "\(figure): \(json)")
    }
  }

  /// Unix time: 200 seconds around 1.7·10⁹, less than the 128 between two floats allow.
  @Test func secondsKeepTheirDeviation() throws {
    try write({ 1.7e9 + Double($0 * 7919 % 1000) / 5 - 100 }, to: "seconds.npy")
    let json = try train("seconds.npy", to: "seconds").json
    let deviation = 200 / 12.0.squareRoot()
    for figure in ["gaussian_nll_nats", "nll_nats"] {
      #expect(abs((json[figure]?.doubleValue ?? .nan) - Self.gaussian(deviation)) < 0.25, "\(figure): \(json)")
    }
    let scale = try SafetensorsFile(path: folder.file("seconds/best.safetensors")).metadata["transform.scale"]
    let first = try #require(scale?.split(separator: ",").first.flatMap { Double($0) })
    #expect(abs(first - deviation) < 0.05 * deviation)
    // Samples have digits behind the point.
    let drawn = try Program.run("sample", "seconds", "-n", "50", "--out", "s.npy", in: folder)
    #expect(drawn.code == 0, "\(drawn.errors)")
    let values = try NumPyFile.read(folder.file("s.npy")).doubles()
    #expect((0..<50).count { abs(values[2 * $0] - 1.7e9) < 400 && values[2 * $0] != values[2 * $0].rounded() } > 40)
  }

  /// The same column 2³⁰ further right: training, log-densities and samples are the same, bit by bit.
  @Test func movedColumnsTrainTheSame() throws {
    try write(Self.normal, to: "near.npy")
    try write({ Self.normal($0) + 0x1p30 }, to: "far.npy")
    let flags = ["--hidden", "8", "--steps", "20", "--batch-size", "100", "--rtol", "1e-3", "--atol", "1e-3"]
    let json = try ["near", "far"].map { try train("\($0).npy", to: $0, flags).json["nll_nats"] }
    #expect(json[0] == json[1] && json[0] != nil)
    let densities = try ["near", "far"].map {
      try Program.run("logprob", $0, "--data", "\($0).npy", in: folder).output
    }
    #expect(densities[0] == densities[1] && densities[0].split(separator: "\n").count == 1000)
    let weights = try ["near", "far"].map {
      try SafetensorsFile(path: folder.file("\($0)/best.safetensors")).floats(named: "net.0.weight")
    }
    #expect(weights[0] == weights[1])
  }

  // MARK: Remarks

  /// Columns, with the words of the remark on them; no words: none is due.
  private static let remarks: [(name: String, row: @Sendable (Int) -> [Double], words: [String])] = [
    ("usual", { [normal($0), normal($0 + 5000)] }, []),
    ("constant", { [normal($0), 5] }, ["column 2", "is 5.0 in every training sample"]),
    (
      "bits", { [normal($0), normal($0 + 5000) > 0 ? 1 : 0] }, ["column 2", "only 2 different values", "uniform noise"]
    ),
    (
      "levels", { row in (0..<3).map { ((normal(row + 5000 * $0) + 4) * 2).rounded() } },
      ["column 1", "different values", "2 more columns likewise"]
    ),
    ("one", { [normal($0), $0 == 77 ? 3 : 0] }, ["column 2", "0.0 in"]),
    ("zeros", { [normal($0), $0 % 10 == 0 ? normal($0 + 5000) : 0] }, ["column 2", "is 0.0 in", "no bound there"]),
    ("equal", { [normal($0), normal($0 + 5000), normal($0)] }, ["columns 1 and 3", "the same"]),
    ("wild", { [normal($0), $0 == 123 ? 1e9 : normal($0 + 5000)] }, ["row 124", "1000000000.0 in column 2"]),
    ("twice", { [normal($0 / 2), normal($0 / 2 + 5000)] }, ["held-out samples", "among the training samples"]),
  ]

  @Test func whatMakesFiguresMeaninglessIsRemarked() throws {
    let flags = ["--model", "affine", "--steps", "2", "--batch-size", "20"]
    for (name, row, words) in Self.remarks {
      let rows = (0..<600).map(row)
      try NumPyFile.write(
        NumPyArray(shape: [600, rows[0].count], doubles: rows.flatMap { $0 }), to: folder.file("\(name).npy"))
      let outcome = try train("\(name).npy", to: name, flags, quiet: false)
      let found = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("cnf: ") }
      #expect(found.count == (words.isEmpty ? 0 : 1), "\(name): \(outcome.errors)")
      for word in words { #expect(found.first?.contains(word) ?? false, "\(name): no '\(word)' in \(outcome.errors)") }
    }
    #expect(try Program.run("evaluate", "twice", in: folder).errors.contains("among the training samples"))
    #expect(try Program.run("evaluate", "usual", in: folder).errors.isEmpty)
  }

  /// A header of numbers is no sample, and a doubt about it is a remark with the flag that decides.
  @Test func headersOfNumbers() throws {
    func text(_ header: String, _ row: (Int) -> String) -> String {
      ([header] + (0..<60).map(row)).joined(separator: "\n") + "\n"
    }
    func row(_ index: Int) -> String { "\(Self.normal(index) + 0.001),\(Self.normal(index + 99) + 0.001)" }
    let flags = ["--model", "affine", "--steps", "2", "--batch-size", "20"]
    func count(_ name: String, _ extra: [String] = []) throws -> (rows: String, errors: String) {
      let outcome = try train("\(name).csv", to: "run-\(name)\(extra.count)", flags + extra, quiet: false)
      let config = try String(
        contentsOfFile: folder.file("run-\(name)\(extra.count)/config.yaml"), encoding: .utf8)
      let line = config.split(separator: "\n").first { $0.hasPrefix("data-fingerprint") } ?? ""
      return (String(line), outcome.errors)
    }
    try folder.write(text("2019,2020", row), to: "years.csv")
    try folder.write(text(",0,1") { "\($0),\(row($0))" }, to: "pandas.csv")
    try folder.write(text("0,1") { "\($0),\(($0 * 7) % 60)" }, to: "whole.csv")
    let years = try count("years")
    #expect(years.rows.contains("60 rows, 2 columns") && years.errors.contains("--header absent"), "\(years)")
    let told = try count("years", ["--header", "absent"])
    #expect(told.rows.contains("61 rows") && !told.errors.contains("--header"), "\(told)")
    let pandas = try count("pandas")
    #expect(pandas.rows.contains("60 rows, 3 columns") && pandas.errors.contains("column 1 of"), "\(pandas)")
    #expect(pandas.errors.contains("counts the rows") && pandas.errors.contains("index=False"), "\(pandas)")
    let whole = try count("whole")
    #expect(whole.rows.contains("61 rows") && whole.errors.contains("give --header present"), "\(whole)")
    #expect(try count("whole", ["--header", "present"]).rows.contains("60 rows"))
  }

  // MARK: Machine

  /// More samples than memory holds are refused, not a crash; the limit is one of address space.
  @Test func whatDoesNotFitIsRefused() throws {
    let (shared, _) = try TrainedFolder.shared.get()
    let calls = [
      (shared, ["sample", "run", "-n", "2000000000"], "-n is 2000000000"),
      (shared, ["evaluate", "run", "--data", "moons", "--count", "2000000000"], "count is 2000000000"),
      (folder, ["train", "--data", "moons", "--count", "2000000000", "--out", "new"], "count is 2000000000"),
    ]
    for (place, arguments, words) in calls {
      let outcome = try Program.start(arguments, in: place, limits: "ulimit -v 8000000").outcome()
      #expect(outcome.code == 64, "\(arguments): \(outcome.code) \(outcome.errors)")
      for word in [words, "GB of memory", "are available"] {
        #expect(outcome.errors.contains(word), "no '\(word)' in \(outcome.errors)")
      }
      #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }
    #expect(!folder.exists("new"))
  }

  /// A file of the run that cannot be written says how the run goes on. A limit of file sizes stands for a full disk.
  @Test func aFullDiskSaysHowToGoOn() throws {
    let (shared, _) = try TrainedFolder.shared.get()
    try FileManager.default.copyItem(atPath: shared.file("run"), toPath: folder.file("run"))
    let arguments = ["train", "--resume", "run", "--steps", "45", "--quiet"]
    let outcome = try Program.start(arguments, in: folder, limits: "trap '' XFSZ; ulimit -f 4").outcome()
    #expect(outcome.code == 1, "\(outcome.errors)")
    for word in ["cannot write", "File too large", "cnf train --resume run continues"] {
      #expect(outcome.errors.contains(word), "no '\(word)' in \(outcome.errors)")
    }
    let resumed = try Program.start(arguments, in: folder).outcome()
    #expect(resumed.code == 0, "\(resumed.errors)")
  }

  /// Temporary files of a killed run are removed by the next one in its folder; others stay.
  @Test func abandonedFilesAreRemoved() throws {
    let (shared, _) = try TrainedFolder.shared.get()
    try FileManager.default.copyItem(atPath: shared.file("run"), toPath: folder.file("run"))
    let own = [".checkpoint.safetensors.1z.tmp", ".best.safetensors.0abc.tmp", ".config.yaml.zz.tmp"]
    for name in own + [".other.1z.tmp"] { try folder.write("half", to: "run/\(name)") }
    let outcome = try Program.run("train", "--resume", "run", "--quiet", in: folder)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for name in own { #expect(!folder.exists("run/\(name)"), "\(name)") }
    #expect(folder.exists("run/.other.1z.tmp"))
  }
}
