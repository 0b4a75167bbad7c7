import ContinuousFlows

/// How often a run is validated and saved.
struct RunSettings: SettingsSection {
  static let title = "Run"

  let validationInterval = Setting<Int>(
    "validation-interval", default: 200, .positive, traits: [.changesOnResume],
    help: "Number of steps between two validations.")

  let patience = Setting<Int>(
    "patience", default: 0, .positive(zero: "never stop early"), traits: [.changesOnResume],
    help: "Number of validations without an improvement after which training stops.")

  let checkpointInterval = Setting<Int>(
    "checkpoint-interval", default: 200, .positive, traits: [.changesOnResume],
    help: "Number of steps between two checkpoints.")
}

/// What a run computes on, and its seed. Commands that look at a trained model have these flags, too.
struct MachineSettings: SettingsSection {
  static let title = "Machine"

  let seed = Setting<UInt64>(
    "seed", default: 0, help: "Seed of initial weights, batches, probes and samples, but not of the data.")

  let threads = Setting<Int>(
    "threads", default: 0, .within(1...4096, zero: "all there are"), traits: [.changesOnResume],
    help: "Number of threads. Results do not depend on it.")

  let backend = Setting<Backend>(
    "backend", default: .c, help: "c (the C kernels), or swift (Swift alone: slower, for comparison).")
}

extension Backend: SettingWord {}
