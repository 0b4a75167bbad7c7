/// How a layer of a field depends on the time: the linear layers of FFJORD (Grathwohl et al. 2019, arXiv 1810.01367,
/// and its published code).
///
/// Below, h is the input of a layer, and τ is the time or its Fourier features. The raw values are the names on the
/// command line.
public enum TimeLayer: String, Sendable, CaseIterable, Codable {
  /// `W h + b`. Only the first layer reads the time, as `W [x, c, τ] + b`, where c is the context if there is one.
  case input
  /// `W h + b`. The field does not depend on the time.
  case ignore
  /// `W [h, τ] + b` in every layer.
  case concat
  /// `(W h + b) ∘ σ(G τ + g)`.
  case squash
  /// `(W h + b) ∘ σ(G τ + g) + S τ + s`. FFJORD has s = 0.
  case concatsquash
  /// `W(t) h + b(t)`, with weights that depend on the time.
  ///
  /// They are affine in t, `(W₀ h + b₀) + t (W₁ h + b₁)`, as in FFJORD's convolutions; or a network of one hidden layer
  /// computes them (`FieldArchitecture.hyperUnits`).
  case hyper
  /// Two layers and their blend, the first at t = 0 and the second at t = 1: `y₀ + t (y₁ − y₀)`.
  case blend
}

extension FieldProgram {
  /// The blocks that give the time to the layers of a field.
  public struct TimeBlocks: Sendable, Equatable {
    /// One row: t.
    public let time: Block
    /// t or its Fourier features.
    public let features: Block

    public init(time: Block, features: Block) {
      self.time = time
      self.features = features
    }
  }

  /// Appends the Fourier features `sin(wᵢ t)` and then `cos(wᵢ t) = sin(wᵢ t + π/2)` for `count` frequencies (Tancik et
  /// al. 2020, arXiv 2006.10739, for one coordinate).
  ///
  /// They are one linear operation of the time, so the frequencies are learned. `InitialParameters` sets wᵢ = π i.
  @discardableResult
  public mutating func appendFourierFeatures(of time: Block, count: Int) -> Block {
    precondition(
      time.index > 0 && operations.indices.contains(time.index - 1) && operations[time.index - 1] == .time,
      "Fourier features need the block of a `time` operation, but block \(time.index) is none")
    return append(.linear(input: time, rows: 2 * count, activation: .sin))
  }

  /// Whether operation `number` computes Fourier features in the form of `appendFourierFeatures`.
  public func isFourierFeatures(_ number: Int) -> Bool {
    guard case .linear(let input, let rows, .sin) = operations[number], rows.isMultiple(of: 2), input != .state else {
      return false
    }
    return operations[input.index - 1] == .time
  }

  /// Appends one of FFJORD's layers with `rows` rows, without activation.
  ///
  /// - Parameter hyperUnits: see `FieldArchitecture.hyperUnits`.
  @discardableResult
  public mutating func append(
    _ layer: TimeLayer, of input: Block, rows: Int, seeing time: TimeBlocks, hyperUnits: Int = 0
  ) -> Block {
    switch layer {
    case .input, .ignore, .concat:
      return append(.linear(input: seen(input, by: layer, time), rows: rows, activation: .identity))
    case .squash, .concatsquash:
      let gate = append(.linear(input: time.features, rows: rows, activation: .sigmoid))
      let shift =
        layer == .concatsquash ? append(.linear(input: time.features, rows: rows, activation: .identity)) : nil
      let gated = append(.multiply(append(.linear(input: input, rows: rows, activation: .identity)), gate))
      return shift.map { append(.add(gated, $0)) } ?? gated
    case .hyper: return appendHyper(of: input, rows: rows, time: time.time, units: hyperUnits)
    case .blend:
      let early = append(.linear(input: input, rows: rows, activation: .identity))
      let late = append(.linear(input: input, rows: rows, activation: .identity))
      let change = append(.add(late, append(.scale(input: early, by: -1))))
      return append(.add(early, append(.multiply(change, time.time))))
    }
  }

  /// The block that a layer multiplies its weights with: `input`, for `.concat` with the time appended.
  mutating func seen(_ input: Block, by layer: TimeLayer, _ time: TimeBlocks) -> Block {
    layer == .concat ? append(.concatenate(input, time.features)) : input
  }

  /// `Σₖ φₖ(t) (Wₖ h + bₖ)`, where φ₀ = 1, and the others are t or the hidden units of a hypernetwork.
  private mutating func appendHyper(of input: Block, rows: Int, time: Block, units: Int) -> Block {
    let hidden = units > 0 ? append(.linear(input: time, rows: units, activation: .tanh)) : time
    var sum = append(.linear(input: input, rows: rows, activation: .identity))
    for unit in 0..<max(1, units) {
      let factor = units > 0 ? append(.slice(input: hidden, first: unit, rows: 1)) : time
      let layer = append(.linear(input: input, rows: rows, activation: .identity))
      sum = append(.add(sum, append(.multiply(layer, factor))))
    }
    return sum
  }
}
