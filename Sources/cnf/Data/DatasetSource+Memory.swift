import ContinuousFlows
import FlowIO

extension DatasetSource {
  /// What a generated sample takes at most while data are split and training begins: 75 bytes were measured.
  private static let bytesPerSample = 100

  /// As `load`, after a check that the samples fit into memory.
  func loadIfItFits(count: Int, seed: UInt64, header: CSVTable.HeaderRule) throws -> Dataset {
    if case .generated = self {
      try AvailableMemory.check(
        count * Self.bytesPerSample, for: "count is \(count), which", fix: "give a smaller --count")
    }
    return try load(count: count, seed: seed, header: header)
  }
}
