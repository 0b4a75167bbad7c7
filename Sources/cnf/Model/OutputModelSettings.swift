/// Settings of models with outputs: classifiers, regressions and residual networks.
struct OutputModelSettings: SettingsSection {
  static let title = "Models with outputs"

  let targets = Setting<Int>(
    "targets", default: 0, .within(1...4096, zero: "none"), use: .models(.outputs),
    help: """
      Number of last columns of a data file that hold outputs: 1 for a classifier (the class 0, 1, ...), K targets for a \
      regression.
      """)

  let augment = Setting<Int>(
    "augment", default: 0, .within(1...4096, zero: "none"), use: .models(.outputs),
    help: "Number of zeros appended to the initial state (an augmented neural ODE).")

  let encoder = Setting<[Int]>(
    "encoder", default: [], .widths, use: .models(.outputs),
    help: "Widths of the dense layers from the data to the initial state.")

  let head = Setting<[Int]>(
    "head", default: [], .widths, use: .models(.outputs),
    help: "Widths of the hidden layers from the final state to the outputs.")

  let residualSteps = Setting<Int>(
    "residual-steps", default: 0,
    SettingRange(words: { _ in "from 1 to 100000" }) { steps, settings in
      settings.model.features.contains(.residualBlocks) ? 1...100_000 ~= steps : true
    },
    use: .models(.residualBlocks), help: "Number of residual blocks. They share their weights.")
}
