import FlowIO
import Foundation
import Testing

@Suite struct MetricsLogTests {
  private func record(_ step: Int) -> JSONValue {
    ["step": .integer(step), "loss": .number(1 / Double(step)), "split": "train"]
  }

  @Test func recordsAreLines() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("metrics.jsonl")
    let log = try MetricsLog(path: path)
    try log.append(["step": 1, "loss": .number(.nan), "note": "a\nb"])
    try log.append(["step": 2, "loss": 0.5])
    try log.synchronize()
    let text = String(decoding: try readBytes(path), as: UTF8.self)
    #expect(text == "{\"step\":1,\"loss\":null,\"note\":\"a\\nb\"}\n{\"step\":2,\"loss\":0.5}\n")
    #expect(try MetricsLog.read(path) == [["step": 1, "loss": nil, "note": "a\nb"], ["step": 2, "loss": 0.5]])
  }

  @Test func resumedLogEqualsThatOfAnUninterruptedRun() throws {
    let directory = try TemporaryDirectory()
    let (whole, resumed) = (directory.file("whole"), directory.file("resumed"))
    let log = try MetricsLog(path: whole)
    try log.append(["run": "begins"])
    for step in 1...9 { try log.append(record(step)) }

    var interrupted: MetricsLog? = try MetricsLog(path: resumed)
    try interrupted?.append(["run": "begins"])
    for step in 1...6 { try interrupted?.append(record(step)) }
    interrupted = nil
    // The process is killed in the middle of a line. Its last checkpoint is that of step 4.
    let torn = try readBytes(resumed) + Array("{\"step\":7,\"lo".utf8)
    try Data(torn).write(to: URL(fileURLWithPath: resumed))
    #expect(try MetricsLog.read(resumed).count == 7)

    let again = try MetricsLog(path: resumed)
    try again.truncate(afterStep: 4)
    #expect(try MetricsLog.read(resumed).last == record(4))
    for step in 5...9 { try again.append(record(step)) }
    #expect(try readBytes(resumed) == readBytes(whole))
  }

  @Test func unfinishedLineIsRemovedOnOpening() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file("log", holding: "{\"step\":1}\n{\"st")
    let log = try MetricsLog(path: path)
    try log.append(["step": 2])
    #expect(try MetricsLog.read(path) == [["step": 1], ["step": 2]])
  }

  @Test func truncationBeyondTheEndAndToNothing() throws {
    let directory = try TemporaryDirectory()
    let log = try MetricsLog(path: directory.file("log"))
    try log.append(record(1))
    try log.truncate(afterStep: 1)
    #expect(try MetricsLog.read(log.path).count == 1)
    try log.truncate(afterStep: 0)
    #expect(try MetricsLog.read(log.path) == [])
  }

  @Test func messageNamesTheBrokenLine() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file("log", holding: "{\"step\":1}\n[2]\n")
    let found = error { () throws(FlowIOError) in _ = try MetricsLog.read(path) }
    #expect(found?.description.hasPrefix("\(path): line 2 is not a JSON object") == true)
    #expect(throws: FlowIOError.missingFile(path: "/nowhere")) { try MetricsLog.read("/nowhere") }
  }
}
