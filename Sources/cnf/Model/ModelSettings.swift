import ContinuousFlows

/// The model and its net.
struct ModelSettings: SettingsSection {
  static let title = "Model"

  let model = Setting<ModelKind>("model", default: .flow, help: "What to train: \(ModelKind.list).")

  let blocks = Setting<Int>(
    "blocks", default: 1, .within(1...1024), use: .models(.blocks),
    help: "Number of flows in a row, each with its own field. Above 1 this implies --model stacked.")

  let depth = Setting<Int>(
    "depth", default: 10, .within(1...1024), use: .models(.couplingLayers), help: "Number of coupling layers.")

  let hidden = Setting<[Int]>(
    "hidden", default: [64, 64, 64], digits: [128, 128], .widths, use: .models(.hiddenLayers),
    help: "Widths of the hidden layers, such as 64,64,64; none for a net without hidden layers.")

  let activation = Setting<Activation>(
    "activation", default: .tanh, digits: .softplus, use: .models(.hiddenLayers),
    help: "Activation of the hidden layers.")

  let layer = Setting<TimeLayer>(
    "layer", default: .input, use: .models(.freeField),
    help: """
      How layers see the time: input (the first layer reads [x, t]), or one of FFJORD's layers ignore, concat, squash, \
      concatsquash, hyper, blend.
      """)

  let residual = Setting<Bool>(
    "residual", default: false, use: .models(.freeField),
    help: "Add the input of a hidden layer to its output where both have the same width.")

  let layerNorm = Setting<Bool>(
    "layer-norm", default: false, use: .models(.freeField), help: "Apply a layer norm before every activation.")

  let dropout = Setting<Double>(
    "dropout", default: 0, .below(1, suchAs: "0.1", zero: "none"), use: .models(.freeField), placeholder: "rate",
    help: "Dropout rate of hidden units in training. One mask per sample and solve.")

  let timeFeatures = Setting<Int>(
    "time-features", default: 0, .within(1...4096, zero: "none"),
    use: .models(.freeField).and(.when("layer", is: [TimeLayer.input, .concat, .squash, .concatsquash])),
    help: "Number of learned Fourier features that layers see instead of the time.")

  let hyperUnits = Setting<Int>(
    "hyper-units", default: 0, .within(1...1024, zero: "weights affine in the time"),
    use: .models(.freeField).and(.when("layer", is: [TimeLayer.hyper])),
    help: "Number of tanh units in the net that makes weights from the time.")

  let separable = Setting<Bool>(
    "separable", default: false, use: .models(.energy),
    help: "Take a separable energy T(p) + V(q), for which --solver leapfrog and yoshida4 are symplectic.")

  let endTime = Setting<Double>(
    "end-time", default: 1, .positive, use: .models(.endTime), placeholder: "time",
    help: "Time T at which the flow reaches the data. It starts from the base at t = 0.")

  let base = Setting<BaseChoice>(
    "base", default: .standardNormal, use: .models(.base),
    help: """
      Distribution at t = 0: standard-normal, or one fitted to the training data: gaussian, full-gaussian, mixture:K (K \
      Gaussians), or uniform (only for --objective flow-matching).
      """)

  static let refusals = [
    Refusal(.training) { settings in
      guard settings.base == .uniform, !settings.objective.takesBoundedBase else { return nil }
      let objectives = settings.model.objectives.filter(\.takesBoundedBase).map { ", or --objective \($0.rawValue)" }
      return
        "base is uniform, whose density is 0 outside its box, so the likelihood has no gradient there: give another "
        + "base, such as gaussian" + objectives.joined()
    }
  ]
}

/// The words of --base.
enum BaseChoice: SettingValue {
  case standardNormal, gaussian, fullGaussian, uniform
  case mixture(Int)

  private static let plain: [(word: String, value: BaseChoice)] = [
    ("standard-normal", .standardNormal), ("gaussian", .gaussian), ("full-gaussian", .fullGaussian),
    ("uniform", .uniform),
  ]
  private static let prefix = "mixture:"

  init(text: String) throws(ValueError) {
    if let row = Self.plain.first(where: { $0.word == text }) {
      self = row.value
    } else if text.hasPrefix(Self.prefix) {
      guard let count = Int(text.dropFirst(Self.prefix.count)), 1...1000 ~= count else {
        throw .mustBe("mixture:K with K from 1 to 1000, such as mixture:8")
      }
      self = .mixture(count)
    } else {
      throw .unknown(
        fix: Suggestion.sentence(
          for: text, among: Self.plain.map(\.word) + (text.hasPrefix("mix") ? ["mixture:8"] : [])))
    }
  }

  var text: String {
    if case .mixture(let count) = self { return Self.prefix + "\(count)" }
    return Self.plain.first { $0.value == self }?.word ?? ""
  }

  static var words: [String] { plain.map(\.word) + [prefix + "K"] }
}

extension Activation: SettingWord {}
extension TimeLayer: SettingWord {}
