import ContinuousFlows
import FlowIO

/// What to train on.
struct DataSettings: SettingsSection {
  static let title = "Data"

  let data = Setting<DatasetSource>(
    "data", default: .file(path: ""), placeholder: "name|file",
    help: "What to train on: a name that cnf datasets lists, or a .npy or .csv file with one row per sample. Required.")

  /// What a file of data held when the run began, as `DatasetFingerprint` describes it; empty for generated data.
  let dataFingerprint = Setting<String>("data-fingerprint", default: "", help: nil)

  let count = Setting<Int>(
    "count", default: DatasetSource.generatedCount,
    SettingRange("at least 4 and below 2^32") { $0 >= 4 && $0 < 1 << 32 },
    help: "Number of samples of a generated data set.")

  let dataSeed = Setting<UInt64>(
    "data-seed", default: 0,
    help: "Seed of a generated data set, and of the split into training, validation and held-out samples.")

  let header = Setting<CSVTable.HeaderRule>(
    "header", default: .automatic,
    help: """
      Whether the first line of a text file names the columns. auto: it does if it holds no number, or if its numbers are \
      written in another way than all later ones.
      """)

  let transform = Setting<TransformChoice>(
    "transform", default: .standardise, digits: .marginals,
    help: """
      What is done to each column before training. none; standardise: to mean 0 and variance 1; marginals: levels such as \
      grey values to a normal distribution, by their frequencies; logit: first x to logit(alpha + (1 - 2 alpha) x), then \
      standardised. It is for values from 0 to 1; its density reaches alpha / (1 - 2 alpha) beyond them on either side, and \
      files with values beyond that are refused.
      """)

  let logitAlpha = Setting<Double>(
    "logit-alpha", default: 0,
    SettingRange("above 0 and below 0.5", zero: "1e-6 for data in levels, else 0.05") { $0 >= 0 && $0 < 0.5 },
    use: .when("transform", is: [TransformChoice.logit]), help: "The alpha of the logit transform.")

  let condition = Setting<ConditionChoice>(
    "condition", default: .none, use: .models(.context),
    help:
      "What the model is conditioned on: none, or labels, the class of each sample (digits and concentric have classes)."
  )

  let conditionColumns = Setting<Int>(
    "condition-columns", default: 0, .within(1...65_536, zero: "none"), use: .models(.context),
    help: "Condition the model on this many last columns of the data. They are standardised, and not modelled.")

  static let refusals = [
    Refusal { settings in
      guard settings.condition != .none, settings.conditionColumns > 0 else { return nil }
      return "condition and condition-columns exclude each other: condition on labels or on columns"
    }
  ]
}

/// The words of --transform.
enum TransformChoice: String, CaseIterable, SettingWord {
  case none, standardise, marginals, logit
}

/// The words of --condition.
enum ConditionChoice: String, CaseIterable, SettingWord {
  case none, labels
}

extension CSVTable.HeaderRule: SettingWord {}

extension DatasetSource: SettingValue {
  init(text: String) throws(ValueError) {
    guard !text.isEmpty else {
      self = .file(path: "")
      return
    }
    do {
      self = try DatasetSource(text)
    } catch {
      throw .unknown(fix: Suggestion.sentence(for: text, among: Self.names) + " (a file ends in .npy or .csv)")
    }
  }

  var text: String {
    switch self {
    case .generated(let generated): generated.name
    case .digits: Digits.name
    case .file(let path): path
    }
  }
}
