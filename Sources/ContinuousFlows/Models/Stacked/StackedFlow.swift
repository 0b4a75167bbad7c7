/// K continuous flows in a row, each with its own field and parameters: FFJORD's stacked blocks (Grathwohl et al. 2019,
/// arXiv 1810.01367, which uses 2 for BSDS300, 5 for POWER, 10 for HEPMASS).
///
/// Block 0 begins at the base, block K − 1 ends at the data, and each runs from t = 0 to T. `log p(x) = log p₀(z) − Σ
/// ∫₀ᵀ tr(∂f_k/∂z) dt − Σ log scale`. A single block is a `ContinuousFlow`, bit for bit.
public struct StackedFlow: Sendable, Equatable {
  /// The fields of the blocks, all of one dimension. Blocks that read a context read the same one.
  public let programs: [FieldProgram]
  /// `θ`, `[P]`: block after block, each in the order of `FieldProgram.linearLayouts`.
  public var parameters: [Float] {
    didSet { ModelChecks.check(parameters, count: parameterOffsets[programs.count]) }
  }
  /// T of every block, positive.
  public var endTime: Double {
    didSet { ModelChecks.check(endTime: endTime) }
  }
  /// The transform from the data to the end of the last block.
  public var transform: DataTransform {
    didSet { ModelChecks.check(transform, dimension: dimension) }
  }
  /// p₀, the distribution at the start of block 0.
  public var base: BaseDistribution {
    didSet { ModelChecks.check(base, dimension: dimension) }
  }

  /// Shapes that do not fit are a precondition failure.
  ///
  /// - Parameter transform: nil means the identity.
  public init(
    programs: [FieldProgram], parameters: [Float], endTime: Double = 1, transform: DataTransform? = nil,
    base: BaseDistribution = .standardNormal
  ) {
    precondition(!programs.isEmpty, "a stacked flow needs a block")
    let dimension = programs[0].stateDimension
    precondition(
      programs.allSatisfy { $0.isComplete && $0.stateDimension == dimension },
      "blocks of other dimensions than \(dimension)")
    let contexts = Set(programs.map(\.contextDimension)).subtracting([0])
    precondition(contexts.count <= 1, "blocks that read contexts of \(contexts.sorted()) rows")
    ModelChecks.check(endTime: endTime)
    self.programs = programs
    self.parameters = parameters
    self.endTime = endTime
    self.transform = transform ?? .identity(dimension: dimension)
    self.base = base
    ModelChecks.check(parameters, count: parameterOffsets[programs.count])
    ModelChecks.check(self.transform, dimension: dimension)
    ModelChecks.check(base, dimension: dimension)
  }

  /// An untrained flow whose blocks have one architecture, each close to the identity.
  ///
  /// - Parameter seed: the seed of the initial parameters. Block 0 gets those of a `ContinuousFlow` with this seed.
  public init(
    dimension: Int, blocks: Int, architecture: FieldArchitecture, endTime: Double = 1, seed: UInt64 = 0,
    transform: DataTransform? = nil, base: BaseDistribution = .standardNormal
  ) {
    precondition(blocks >= 1, "a stacked flow of \(blocks) blocks, must be at least 1")
    let flows = (0..<blocks).map { block in
      ContinuousFlow(
        dimension: dimension, architecture: architecture, endTime: endTime, seed: seed.forPart(block))
    }
    self.init(
      programs: flows.map(\.program), parameters: flows.flatMap(\.parameters), endTime: endTime, transform: transform,
      base: base)
  }

  /// D.
  public var dimension: Int { programs[0].stateDimension }

  /// K.
  public var blockCount: Int { programs.count }

  /// C, the number of context columns; 0 means none.
  public var contextDimension: Int { programs.map(\.contextDimension).max() ?? 0 }

  /// K T, the total time of all blocks.
  public var totalTime: Double { Double(blockCount) * endTime }

  /// The index at which each block's parameters begin, and the end of the last.
  var parameterOffsets: [Int] { programs.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.parameterCount) } }

}
