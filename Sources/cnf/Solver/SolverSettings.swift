import ContinuousFlows

/// How training solves the differential equation, and how its gradient is computed.
struct SolverSettings: SettingsSection {
  static let title = "Solver of training"

  private static let training = SettingUse.models(.solver).and(.objectives(.solves))
  private static let gradient = SettingUse.models(.stepGradient).and(.objectives(.solves))

  let solver = Setting<SolverMethod>(
    "solver", default: .dopri5, digits: .rk4, use: training, help: "Method.")

  let rtol = Setting<Double>(
    "rtol", default: 1e-5, .positive, use: training, resets: ["fixed-steps"],
    help: "Relative tolerance of adaptive steps.")

  let atol = Setting<Double>(
    "atol", default: 1e-5, .positive, use: training, resets: ["fixed-steps"],
    help: "Absolute tolerance of adaptive steps.")

  let fixedSteps = Setting<Int>(
    "fixed-steps", default: 0, digits: 8, .within(1...1_000_000, zero: "adaptive steps"), use: training,
    stepLength: StepLength(key: "step-size", help: "Length of equal steps, instead of their number."),
    help: "Number of equal steps from 0 to T, instead of adaptive steps.")

  let solverMaxSteps = Setting<Int>(
    "solver-max-steps", default: 4096,
    SettingRange("from 1 to 2^24") { $0 > 0 && $0 <= 1 << 24 }, use: .models(.solver), traits: [.servesEvaluation],
    help: "Number of adaptive steps after which a sample's solve fails, in training and later.")

  let controller = Setting<StepController>(
    "controller", default: .integral, use: .models(.solver), traits: [.servesEvaluation],
    help: "How adaptive step sizes follow the error estimates: integral, proportional-integral or pid:P,I,D.")

  let firstStep = Setting<Double>(
    "first-step", default: 0, .positive(zero: "the solver's own choice"), use: .models(.solver),
    traits: [.servesEvaluation], placeholder: "time", help: "Length of the first adaptive step.")

  let maxStep = Setting<Double>(
    "max-step", default: 0, .positive(zero: "1/20 of the time span or longer, by the field's weights"),
    use: .models(.solver), traits: [.servesEvaluation], placeholder: "time",
    help: """
      Length of the longest adaptive step. What the field does in less than about half of it, such as a short pulse, may go \
      unseen.
      """)

  let norm = Setting<ErrorNorm>(
    "norm", default: .rootMeanSquare, use: .models(.solver), traits: [.servesEvaluation],
    help: "Norm of a step's errors: rms, or max (every component keeps its tolerance).")

  let trace = Setting<Trace>(
    "trace", default: .automatic, use: .models(.divergence).and(.objectives(.solves)),
    help: """
      Divergence of the field: exact, hutchinson (an unbiased estimate with random probes), automatic (exact where that is \
      cheap), or one exact form: exactTangents, exactProduct.
      """)

  let probe = Setting<Probe>(
    "probe", default: .rademacher, use: .models(.probes), traits: [.servesEvaluation],
    help: "Distribution of Hutchinson's probes.")

  let probes = Setting<Int>(
    "probes", default: 1, .within(1...4096), use: .models(.probes), traits: [.servesEvaluation],
    help: "Number of probes per sample.")

  let precision = Setting<Precision>(
    "precision", default: .full, use: gradient,
    help: """
      full: float32; mixed: derivatives multiply in bfloat16, which is faster on the instruction set avx512bf16 alone.
      """)

  let adjoint = Setting<AdjointSchedule>(
    "adjoint", default: .everyStep, use: gradient,
    help: """
      How the gradient is computed. every-step: exactly, storing every step. every-K (such as every-8), binomial, automatic: the \
      same gradient from fewer stored states. continuous: by a backward solve that stores nothing, accurate to the tolerance. \
      reversible: exactly, storing nothing, with --solver reversible_heun.
      """)

  let adjointBytes = Setting<Int>(
    "adjoint-bytes", default: 0,
    SettingRange("a positive whole number", zero: "16 MiB for binomial, a quarter of the memory for automatic") {
      $0 >= 0
    },
    use: gradient.and(.when("adjoint", is: [AdjointSchedule.binomial(), .automatic()])), placeholder: "bytes",
    help: "Memory per thread for stored states.")

  static let refusals = MethodRules.refusals
}

extension ErrorNorm: SettingWord {}
extension Probe: SettingWord {}
extension Precision: SettingWord {}

extension Trace: SettingWord {
  static var table: [(word: String, value: Trace)] { allCases.filter { $0 != .none }.map { ($0.rawValue, $0) } }
}

extension StepController: SettingValue {
  init(text: String) throws(ValueError) {
    guard let controller = StepController(text) else {
      throw text.hasPrefix("pid:")
        ? .sentence(
          "'\(text)' is not a controller: write three numbers with commas between them, the second above 0, such as "
            + "pid:0.3,0.4,0.1")
        : .unknown(fix: Suggestion.sentence(for: text, among: Self.words))
    }
    self = controller
  }

  var text: String { description }
  static var words: [String] { ["integral", "proportional-integral", "pid:P,I,D"] }
}

/// Without the bytes, which are a setting of their own.
extension AdjointSchedule: SettingValue {
  private static let plain: [(word: String, value: AdjointSchedule)] = [
    ("every-step", .everyStep), ("binomial", .binomial()), ("automatic", .automatic()), ("continuous", .continuous()),
    ("reversible", .reversible),
  ]
  private static let prefix = "every-"
  private static let mostEvery = 1 << 24

  init(text: String) throws(ValueError) {
    if let row = Self.plain.first(where: { $0.word == text }) {
      self = row.value
      return
    }
    let count = text.hasPrefix(Self.prefix) ? text.dropFirst(Self.prefix.count) : ""
    guard !count.isEmpty, count.allSatisfy({ "-0123456789".contains($0) }) else {
      throw .unknown(fix: Suggestion.sentence(for: text, among: Self.words))
    }
    guard let steps = Int(count), 1...Self.mostEvery ~= steps else {
      throw .sentence("'\(text)' is not known: give a number of steps from 1 to \(Self.mostEvery), such as every-8")
    }
    self = .every(steps)
  }

  var text: String {
    if case .every(let count) = self { return Self.prefix + "\(count)" }
    return Self.plain.first { $0.value == self }?.word ?? ""
  }

  static var words: [String] { ["every-step", "every-8", "binomial", "automatic", "continuous", "reversible"] }
}
