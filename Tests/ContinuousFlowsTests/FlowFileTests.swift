import FlowIO
import Foundation
import Testing

@testable import ContinuousFlows

@Suite struct FlowFileTests {
  private let folder: TemporaryFolder
  private let path: String
  private let flow: ContinuousFlow

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("flow.safetensors")
    flow = ContinuousFlow(
      dimension: 2, hidden: [5, 3], activation: .softplus, endTime: 0.7, seed: 4,
      transform: DataTransform(shift: [0.1, -3e-7], scale: [2, 1 / 3]))
  }

  @Test func parametersAreNamedAsInPyTorch() throws {
    try flow.write(to: path)
    let file = try SafetensorsFile(path: path)
    let shapes = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.shape) })
    #expect(
      shapes == [
        "net.0.weight": [5, 3], "net.0.bias": [5], "net.2.weight": [3, 5], "net.2.bias": [3],
        "net.4.weight": [2, 3], "net.4.bias": [2],
      ])
    #expect(try file.floats(named: "net.2.weight") == Array(flow.parameters[20..<35]))
  }

  @Test func activationsOfTheirOwnCountAsModules() {
    var program = FieldProgram(stateDimension: 2)
    let first = program.append(.linear(input: .state, rows: 2, activation: .identity))
    let active = program.append(.activation(input: first, .tanh))
    let second = program.append(.linear(input: active, rows: 2, activation: .identity))
    program.append(.add(second, .state))
    let names = ParameterNames(of: program)
    #expect(names.entries.map(\.name) == ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"])
    #expect(names.name(of: 0) == "net.0.weight[0]")
    #expect(names.name(of: 11) == "net.2.bias[1]")
  }

  @Test func comesBackTheSame() throws {
    try flow.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == flow)
    #expect(try SafetensorsFile(path: path).metadata["swift_cnf.version"] == "1")
  }

  /// A reader that does not know marginals would take x for z. The file's version prevents that.
  @Test func marginalsAreOfALaterVersion() throws {
    let marginals = LevelMarginals(levels: 2, probabilities: [0.25, 0.75, 0.5, 0.5])
    let levelled = ContinuousFlow(dimension: 2, hidden: [3], transform: .marginals(marginals))
    try levelled.write(to: path)
    var file = try SafetensorsFile(path: path)
    #expect(file.metadata["swift_cnf.version"] == "2")
    #expect(try ContinuousFlow(contentsOf: path) == levelled)
    try TrainingState(model: levelled, keepsAverage: false).write(to: path)
    #expect(try SafetensorsFile(path: path).metadata["swift_cnf.version"] == "2")
    var altered = try SafetensorsFile(path: path)
    altered.metadata["transform.probabilities"] = "0.25,0.7,0.5,0.5"
    try altered.write(to: path)
    #expect(throws: FlowFileError.self) { try TrainingState<ContinuousFlow>(contentsOf: path) }
    // Files written before they had a version.
    file.metadata["swift_cnf.version"] = "1"
    try file.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == levelled)
  }

  @Test func residualProgramsComeBackTheSame() throws {
    var program = FieldProgram(stateDimension: 2)
    let time = program.append(.time)
    let seen = program.append(.concatenate(.state, time))
    let hidden = program.append(.linear(input: seen, rows: 2, activation: .silu))
    let active = program.append(.activation(input: hidden, .tanh))
    program.append(.add(active, .state))
    let residual = ContinuousFlow(
      program: program, parameters: InitialParameters.uniform(for: program, seed: 1), endTime: 1)
    try residual.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == residual)
  }

  /// Covers every operation that a file can hold, by every architecture. Names are those of the modules of a PyTorch
  /// Sequential.
  @Test(arguments: TimeLayer.allCases) func architecturesComeBackTheSame(layer: TimeLayer) throws {
    let architecture = FieldArchitecture(
      hidden: [4, 4], activation: .silu, layer: layer, contextDimension: 2, timeFeatures: 1, isResidual: true,
      hasLayerNorm: true, dropout: 0.1, hyperUnits: 2)
    let flow = ContinuousFlow(dimension: 2, architecture: architecture, seed: 3)
    try flow.write(to: path)
    #expect(try ContinuousFlow(contentsOf: path) == flow)
    let counted = ParameterNames(of: flow.program).entries.reduce(0) { $0 + $1.count }
    #expect(counted == flow.parameters.count)
  }

  @Test func normsAndDropoutsCountAsModules() {
    let architecture = FieldArchitecture(
      hidden: [4], activation: .tanh, layer: .ignore, hasLayerNorm: true, dropout: 0.1)
    let names = ParameterNames(of: architecture.program(stateDimension: 2))
    #expect(
      names.entries.map(\.name) == [
        "net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias", "net.4.weight", "net.4.bias",
      ])
    #expect(names.entries.map(\.shape) == [[4, 2], [4], [4], [4], [2, 4], [2]])
  }

  /// The operation after `operation` in a program that has every operation once. A new case does not compile without a
  /// line here.
  private static func successor(of operation: FieldProgram.Operation?) -> FieldProgram.Operation? {
    switch operation {
    case nil: .linear(input: .state, rows: 2, activation: .tanh)
    case .linear: .transposed(input: .state, weightsOf: .init(index: 1))
    case .transposed: .activation(input: .state, .sin)
    case .activation: .time
    case .time: .concatenate(.state, .init(index: 1))
    case .concatenate: .multiply(.state, .init(index: 1))
    case .multiply: .slice(input: .state, first: 1, rows: 1)
    case .slice: .context(rows: 3)
    case .context: .layerNorm(input: .state, epsilon: 1e-6)
    case .layerNorm: .dropout(input: .state, rate: 0.1)
    case .dropout: .scale(input: .state, by: -1, plus: 0.1)
    case .scale: .sum(input: .state)
    case .sum: .add(.state, .init(index: 1))
    case .add, .callback: nil  // callbacks have no text
    }
  }

  @Test func everyOperationComesBackFromItsText() throws {
    var program = FieldProgram(stateDimension: 2)
    while let next = Self.successor(of: program.operations.last) { program.append(next) }
    #expect(program.operations.count == 13)
    #expect(try ProgramText.program(try ProgramText.text(of: program), dimension: 2) == program)
  }

  @Test(arguments: [
    ("multiply 0 1", "reads block 1"),
    ("linear 0 2 tanh; linear 0 3 tanh; multiply 1 2", "multiplies blocks of 2 and 3 rows"),
    ("linear 0 3 tanh; add 0 1", "adds blocks of 2 and 3 rows"),
    ("slice 0 1 2", "takes 2 rows from row 1 on of block 0, which has 2"),
    ("slice 0 -1 1", "takes 1 rows from row -1 on of block 0, which has 2"), ("context 0", "rows that are not"),
    ("context 2; context 3", "not the 2 of"), ("norm 0 0", "epsilon"), ("norm 0 nan", "epsilon"),
    ("dropout 0 1", "rate"), ("dropout 0 x", "rate"), ("scale 0 inf", "factor"),
    ("time; transposed 0 1", "takes the weights of block 1, which no linear operation made"),
    ("linear 0 3 tanh; transposed 0 1", "transpose of weights of 3 rows with a block of 2"),
    ("time; linear 1 3 tanh", "the last operation, 'linear 1 3 tanh', gives 3 rows, must be the state's 2"),
    ("", "gives 0 rows"),
  ]) func programsThatDoNotFitAreRefused(text: String, reason: String) {
    #expect {
      try ProgramText.program(text, dimension: 2)
    } throws: {
      ($0 as? ProgramText.Problem)?.description.contains(reason) ?? false
    }
  }

  /// A mistake that a file's reader reports as an error ends a program that makes it in code. A release build does not
  /// print the text of its preconditions, so the test reads the messages where they are made.
  @Test func programsInCodeThatDoNotFitEndTheProgram() async {
    var program = FieldProgram(stateDimension: 2)
    let wide = program.append(.linear(input: .state, rows: 3, activation: .identity))
    #expect(
      program.problemOfTransposing(.state, weightsOf: wide)
        == "multiplies the transpose of weights of 3 rows with a block of 2")
    #expect(program.problemOfTransposing(wide, weightsOf: wide) == nil)
    #expect(program.problemOfTransposing(.init(index: 5), weightsOf: wide)?.contains("block 5") == true)
    #expect(program.problemOfTransposing(wide, weightsOf: .state)?.contains("no linear operation") == true)
    await #expect(processExitsWith: .failure) {
      var program = FieldProgram(stateDimension: 2)
      let wide = program.append(.linear(input: .state, rows: 3, activation: .identity))
      program.append(.transposed(input: .state, weightsOf: wide))
    }
  }

  @Test func fieldsWithCallbacksAreNotWritten() throws {
    let decay = FieldCallback(
      name: "decay", parameterCount: 1,
      float: .init { _, _, x, rate, y in for index in 0..<x.count { y[index] = -rate[0] * x[index] } })
    var program = FieldProgram(stateDimension: 2)
    program.append(.callback(input: .state, rows: 2, decay))
    #expect(ParameterNames(of: program).entries.map(\.name) == ["net.0.parameters"])
    let flow = ContinuousFlow(program: program, parameters: [0.5])
    #expect { try flow.write(to: path) } throws: { "\($0)".contains("'decay'") }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func weightsAloneAreTakenOver() throws {
    let others = InitialParameters.uniform(for: flow.program, seed: 99)
    try SafetensorsFile(tensors: ParameterNames(of: flow.program).tensors(others)).write(to: path)
    var taken = flow
    try taken.readParameters(from: path)
    #expect(taken.parameters == others)
    #expect(taken.endTime == flow.endTime)
    #expect(throws: FlowFileError.wrongKind(path: path, found: nil, expected: "flow")) {
      try ContinuousFlow(contentsOf: path)
    }
  }

  @Test func weightsOfOtherShapesAreRefused() throws {
    let wide = ContinuousFlow(dimension: 2, hidden: [6, 3], activation: .softplus)
    try wide.write(to: path)
    var taken = flow
    #expect(
      throws: FlowFileError.wrongShape(path: path, tensor: "net.0.weight", found: [6, 3], expected: [5, 3])
    ) { try taken.readParameters(from: path) }
    #expect(taken == flow)
    let deep = ContinuousFlow(dimension: 2, hidden: [5, 3, 2], activation: .softplus)
    try deep.write(to: path)
    #expect(throws: (any Error).self) { try taken.readParameters(from: path) }
  }

  @Test func tensorsWithoutPlaceAreRefused() throws {
    var tensors = ParameterNames(of: flow.program).tensors(flow.parameters)
    tensors.append(SafetensorsTensor(name: "net.6.bias", shape: [1], floats: [0]))
    try SafetensorsFile(tensors: tensors).write(to: path)
    var taken = flow
    #expect(throws: FlowFileError.unexpectedTensors(path: path, names: ["net.6.bias"])) {
      try taken.readParameters(from: path)
    }
  }

  @Test func notANumberIsRefused() throws {
    var broken = flow
    broken.parameters[17] = .nan
    try broken.write(to: path)
    #expect(throws: FlowFileError.notFinite(path: path, tensor: "net.0.bias")) {
      try ContinuousFlow(contentsOf: path)
    }
  }

  @Test func everyAlteredByteIsNoticed() throws {
    try flow.write(to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // Cuts the file in every part: sizes, header, each tensor.
    for position in stride(from: 0, to: bytes.count, by: 11) {
      var altered = bytes
      altered[position] ^= 0x04
      try Data(altered).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self, "byte \(position) of \(bytes.count)") {
        try ContinuousFlow(contentsOf: path)
      }
    }
    try Data(bytes.dropLast(3)).write(to: URL(fileURLWithPath: path))
    #expect(throws: FlowIOError.self) { try ContinuousFlow(contentsOf: path) }
  }

  @Test(arguments: [
    ("dimension", "0"), ("dimension", "-3"), ("dimension", "9223372036854775807"), ("dimension", "two"),
    ("dimension", "3"), ("end_time", "0"), ("end_time", "nan"), ("transform.scale", "1,0"),
    ("transform.shift", "1"), ("transform.shift", "1,nan"), ("swift_cnf.version", "5"), ("program", ""),
  ])
  func metadataThatCannotBeMeantAreRefused(key: String, value: String) throws {
    try flow.write(to: path)
    var file = try SafetensorsFile(path: path)
    file.metadata[key] = value
    try file.write(to: path)
    #expect(throws: (any Error).self) { try ContinuousFlow(contentsOf: path) }
  }

  @Test(arguments: [
    "time; linear 0 2", "linear 1 2 tanh", "linear 0 2 cosine", "linear 0 -2 tanh", "linear 0 0 tanh",
    "linear 0 9223372036854775807 tanh", "linear 0 3 tanh", "add 0 1", "concatenate 0 0; add 0 1", "squash 0",
    "activation 0 tanh 1", "linear 0 16777216 tanh; concatenate 1 1",
  ])
  func programsThatDoNotFitAreRefused(text: String) {
    #expect(throws: ProgramText.Problem.self) { try ProgramText.program(text, dimension: 2) }
  }
}
