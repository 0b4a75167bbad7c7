import ContinuousFlows

/// How long and by what steps weights are trained, and what is added to the loss.
struct OptimiserSettings: SettingsSection {
  static let title = "Training"

  private static let penalties = SettingUse.models(.penalties).and(.objectives(.solves))

  let steps = Setting<Int>(
    "steps", default: 2000, digits: 0, .positive(zero: "no limit"), traits: [.changesOnResume], resets: ["seconds"],
    help: "Number of training steps. Without --seconds the run can be repeated bit for bit.")

  let seconds = Setting<Double>(
    "seconds", default: 0, digits: 120, .positive(zero: "no limit"), traits: [.changesOnResume], resets: ["steps"],
    help: "Duration of training in seconds.")

  let batchSize = Setting<Int>(
    "batch-size", default: 512, digits: 256, .positive, help: "Number of samples per step.")

  let learningRate = Setting<Double>(
    "learning-rate", default: 5e-3, digits: 4e-3, .positive, help: "Learning rate after the warm-up.")

  let schedule = Setting<ScheduleChoice>(
    "schedule", default: .cosine, help: "Learning rate over the run: constant, or cosine (falls to 0 at the end).")

  let warmupSteps = Setting<Int>(
    "warmup-steps", default: 20, digits: 50, .positive(zero: "none"),
    help: "Number of first steps over which the learning rate rises linearly.")

  let optimiser = Setting<OptimiserChoice>(
    "optimiser", default: .adamw,
    help: "adam (weight decay is added to the gradient), or adamw (decoupled weight decay).")

  /// 1,365 digits are few: with a decay of 1e-4 the flow overfits (an NLL of -68 nats held out, -83 on the training
  /// samples); with 0.6 the two are close (-72 and -79).
  let weightDecay = Setting<Double>(
    "weight-decay", default: 1e-5, digits: 0.6, .positive(zero: "none"), help: "Weight decay.")

  let kinetic = Setting<Double>(
    "kinetic", default: 0, .positive(zero: "none"), use: penalties,
    help: "Weight of the flow's kinetic energy in the loss, such as 0.01, for straighter flows.")

  let frobenius = Setting<Double>(
    "frobenius", default: 0, .positive(zero: "none"), use: penalties,
    help: "Weight of the Frobenius norm of the field's Jacobian in the loss, such as 0.01.")

  let steer = Setting<Double>(
    "steer", default: 0,
    SettingRange(words: { "above 0 and below end-time, \($0.endTime), or 0 for none" }, zero: "none") {
      steer, settings in
      (0..<settings.endTime).contains(steer)
    },
    use: .models(.randomEndTime).and(.objectives(.solves)),
    help: "STEER: training solves to a random time within this distance of the base's time 0, such as 0.25.")

  let transport = Setting<Double>(
    "transport", default: 0, .positive(zero: "none"), use: .models(.transportCosts),
    help: "Weight of the transport cost in the loss: the integral of half the squared speed.")

  let hjb = Setting<Double>(
    "hjb", default: 0, .positive(zero: "none"), use: .models(.transportCosts),
    help: "Weight of the violation of the Hamilton-Jacobi-Bellman equation in the loss.")

  let clipNorm = Setting<Double>(
    "clip-norm", default: 10, .positive(zero: "no clipping"), help: "Norm to which longer gradients are clipped.")

  let averageDecay = Setting<Double>(
    "average-decay", default: 0.99, digits: 0.999, .below(1, suchAs: "0.999", zero: "none"),
    help: "Decay of the exponential moving average of the weights, which is what is validated and saved as best.")

  static let refusals = [
    Refusal { settings in
      settings.steps > 0 || settings.seconds > 0
        ? nil : "training would never end: give --steps N or --seconds S"
    }
  ]
}

/// The words of --schedule.
enum ScheduleChoice: String, CaseIterable, SettingWord {
  case constant, cosine
}

/// The words of --optimiser.
enum OptimiserChoice: String, CaseIterable, SettingWord {
  case adam, adamw
}
