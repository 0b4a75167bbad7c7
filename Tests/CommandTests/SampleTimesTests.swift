import FlowIO
import Foundation
import Testing

/// `cnf sample --times`: samples on their paths, with log-densities.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SampleTimesTests {
  private let folder = try! TemporaryFolder()
  private static let tolerance = 1e-5
  private static let count = 6

  private func run(_ arguments: [String]) throws -> Program.Outcome {
    try Program.start(arguments, in: folder).outcome()
  }

  private func succeed(_ arguments: [String]) throws -> Program.Outcome {
    let outcome = try run(arguments)
    #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
    return outcome
  }

  static let models: [(flags: [String], kind: String)] = [
    (["--model", "flow", "--end-time", "1.5"], "flow"), (["--model", "timed-flow"], "timed-flow"),
    (["--blocks", "3", "--end-time", "0.5"], "stacked"),
  ]

  @Test(arguments: models) func samplesAreShownOnTheirWay(model: (flags: [String], kind: String)) throws {
    _ = try succeed(
      [
        "train", "--data", "pinwheel", "--count", "300", "--steps", "15", "--batch-size", "64", "--hidden", "16",
        "--out", "r", "--json", "--quiet",
      ] + model.flags)
    let trained = try SafetensorsFile(path: folder.file("r/best.safetensors"))
    // A trained time is a parameter.
    let oneEnd = try #require(
      model.kind == "timed-flow"
        ? try succeed(["evaluate", "r", "--json"]).json["end_time"]?.doubleValue
        : trained.metadata["end_time"].flatMap { Double($0) })
    let end = model.kind == "stacked" ? 3 * oneEnd : oneEnd
    let (times, n) = ([0, 0.4 * end, end], Self.count)
    let list = times.map(\.description).joined(separator: ",")
    let common = ["sample", "r", "-n", "\(n)", "--seed", "4"]

    let plain = try succeed(common + ["--log-density", "--out", "s.npy", "--json"])
    let densities = try #require(try plain.json["log_density"]?.elements?.compactMap(\.doubleValue))
    let samples = try NumPyFile.read(folder.file("s.npy")).doubles()
    let shown = try succeed(common + ["--times", list, "--log-density", "--out", "p.npy", "--json"])
    let paths = try NumPyFile.read(folder.file("p.npy"))
    #expect(paths.shape == [3, n, 3] && paths.elementType == .float64)
    #expect(try shown.json["times"]?.elements?.compactMap(\.doubleValue) == times)
    let values = paths.doubles()
    func row(_ time: Int, _ sample: Int) -> [Double] {
      Array(values[(time * n + sample) * 3..<(time * n + sample + 1) * 3])
    }

    // At the end they are the samples. Steps differ because they stop at the times, each by its tolerance: several tens
    // of steps, of columns with standard deviation 1 that are stretched a few times.
    for sample in 0..<n {
      for column in 0..<2 {
        #expect(abs(row(2, sample)[column] - samples[3 * sample + column]) < 300 * Self.tolerance)
      }
      #expect(abs(row(2, sample)[2] - densities[sample]) < 300 * Self.tolerance)
    }
    // The log-density of the samples agrees, too.
    try folder.write((0..<n).map { "\(row(2, $0)[0]),\(row(2, $0)[1])\n" }.joined(), to: "ends.csv")
    let found = try succeed(["logprob", "r", "--data", "ends.csv"]).output.split(separator: "\n").compactMap {
      Double($0)
    }
    for sample in 0..<n { #expect(abs(found[sample] - row(2, sample)[2]) < 300 * Self.tolerance) }
    // At the start the density is the base's through the transform: log N(z) - log scale, z = (x - shift) / scale.
    func numbers(_ key: String) throws -> [Double] {
      try #require(trained.metadata[key]).split(separator: ",").compactMap { Double($0) }
    }
    let (shift, scale) = (try numbers("transform.shift"), try numbers("transform.scale"))
    #expect(shift.count == 2 && scale.count == 2)
    for sample in 0..<n {
      let expected = (0..<2).reduce(0.0) { sum, column in
        let z = (row(0, sample)[column] - shift[column]) / scale[column]
        return sum - 0.5 * z * z - 0.5 * log(2 * Double.pi) - log(scale[column])
      }
      // A few roundings in double of numbers up to ten.
      #expect(abs(row(0, sample)[2] - expected) < 20 * 10 * 0x1p-53, "\(model.kind)")
    }
    #expect((0..<n).allSatisfy { row(0, $0)[0] != row(1, $0)[0] && row(1, $0)[0] != row(2, $0)[0] })

    // Without densities, as a table, as lines and as JSON: the same numbers, the time first.
    _ = try succeed(common + ["--times", list, "--out", "p.csv"])
    let table = try MatrixFile.read(folder.file("p.csv"))
    #expect(table.values.count == 3 * n * 3)
    for (line, time) in times.enumerated() { #expect(table.values[line * n * 3] == time) }
    let printed = try succeed(common + ["--times", list]).output
    #expect(try printed == String(contentsOfFile: folder.file("p.csv"), encoding: .utf8))
    let json = try succeed(common + ["--times", list, "--json"]).json
    #expect(json["samples"]?.elements?.count == 3 && json["log_density"] == nil)
    for (line, time) in (json["samples"]?.elements ?? []).enumerated() {
      for (sample, point) in (time.elements ?? []).enumerated() {
        let numbers = point.elements?.compactMap(\.doubleValue) ?? []
        #expect(numbers == (1...2).map { table.values[(line * n + sample) * 3 + $0] })
      }
    }

    for (list, words) in [
      ("0,9", "times has 9.0"), ("-1,1", "times has -1.0"), ("0.4,0.2", "do not rise"), ("0,x", "0,x"),
    ] {
      let outcome = try run(common + ["--times", list])
      #expect(outcome.code == 64 && outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
    }
  }

  @Test func modelsWithoutAWaySaySo() throws {
    for (model, flags) in [("coupling", [String]()), ("diffusion", [])] {
      _ = try succeed(
        ["train", "--data", "moons", "--count", "100", "--steps", "2", "--model", model, "--out", model, "--quiet"]
          + flags)
      let outcome = try run(["sample", model, "-n", "1", "--times", "0,1"])
      #expect(
        outcome.code == 64 && outcome.errors.contains("sample --times needs a continuous flow"), "\(outcome.errors)")
    }
    let both = try run(["sample", "diffusion", "-n", "1", "--times", "0,1", "--sampler", "euler-maruyama"])
    #expect(both.code == 64 && both.errors.contains("sampler is euler-maruyama"), "\(both.errors)")
  }
}
