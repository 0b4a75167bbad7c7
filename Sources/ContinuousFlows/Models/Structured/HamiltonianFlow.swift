public import FlowIO

/// A flow along Hamilton's equations of a learned energy. It preserves volumes, so `log p(x) = log p₀(z)` by
/// Liouville's theorem (Arnold 1989, Mathematical Methods of Classical Mechanics, section 16; learned energies:
/// Greydanus, Dzamba, Yosinski 2019, arXiv 1906.01563).
public struct HamiltonianFlow: StructuredFlow {
  public var flow: ContinuousFlow {
    didSet { precondition(flow.program == oldValue.program, "the flow is of another field") }
  }

  /// A flow whose field is not Hamiltonian (`FieldProgram.isHamiltonian`) is a precondition failure.
  public init(_ flow: ContinuousFlow) {
    precondition(flow.program.isHamiltonian, "the flow's field is not made by FieldProgram.appendHamiltonian")
    self.flow = flow
  }

  static let model = "hamiltonian"

  public func metadata(kind: String) throws(FlowFileError) -> [String: String] {
    var text = try FlowMetadata.text(of: flow, kind: kind)
    text[ModelFile.modelKey] = Self.model
    return text
  }

  public init(from file: SafetensorsFile, kind: String) throws {
    let flow = try FlowMetadata.flow(in: file, kind: kind, model: Self.model)
    guard flow.program.isHamiltonian else {
      throw FlowFileError.metadata(
        path: file.source, key: "program", problem: "it is not Hamilton's equations of an energy")
    }
    self.flow = flow
  }
}
