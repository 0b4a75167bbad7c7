/// The complete state of a training run: what is needed to resume it as if it had never stopped.
///
/// Random numbers need no state, because they are keyed by the step.
public struct TrainingState<Model: TrainableModel>: Sendable, Equatable {
  /// The model whose `parameters` are trained.
  public internal(set) var model: Model
  public internal(set) var moments: AdamMoments
  /// Moving average of the parameters, `[P]`; nil if none is kept.
  public internal(set) var average: [Float]?
  /// Steps taken.
  public internal(set) var step = 0
  /// Seconds spent.
  public internal(set) var seconds = 0.0
  /// The best validation so far; nil before the first.
  public internal(set) var best: EvaluationResult?
  /// The step of that validation.
  public internal(set) var bestStep = 0
  /// The weights at that validation, `[P]`; nil before the first.
  public internal(set) var bestParameters: [Float]?
  /// Number of validations since then.
  public internal(set) var validationsSinceBest = 0

  /// The start of a run.
  public init(model: Model, keepsAverage: Bool) {
    self.model = model
    moments = AdamMoments(parameterCount: model.parameters.count)
    average = keepsAverage ? model.parameters : nil
  }

  /// The model that is validated: with averaged weights if an average is kept.
  public var averagedModel: Model {
    var averaged = model
    if let average { averaged.parameters = average }
    return averaged
  }

  /// The model of the best validation; before the first, `averagedModel`.
  public var bestModel: Model {
    guard let bestParameters else { return averagedModel }
    var best = model
    best.parameters = bestParameters
    return best
  }

  /// One step of the optimiser and of the average.
  mutating func advance(
    _ gradient: [Float], gradientScale: Float, adam: Adam, learningRate: Double, average decay: Double?
  ) {
    adam.update(
      &model.parameters, gradient: gradient, gradientScale: gradientScale, moments: &moments, step: step,
      learningRate: learningRate, undecayed: model.undecayedParameters)
    if let decay {
      // Moved out while it changes, so that the array has one owner and changes in place.
      var average = average.take() ?? model.parameters
      ExponentialMovingAverage(decay: decay).update(&average, towards: model.parameters, update: step)
      self.average = average
    }
    step += 1
  }

  /// Records a validation at the present step; returns whether it is the best so far.
  ///
  /// - Parameter countsForPatience: false for the last validation of a run, which is outside the regular ones.
  mutating func note(_ result: EvaluationResult, countsForPatience: Bool) -> Bool {
    let isBest = result.failed == 0 && result.nllNats < best?.nllNats ?? .infinity
    if isBest {
      best = result
      bestStep = step
      bestParameters = average ?? model.parameters
      validationsSinceBest = 0
    } else if countsForPatience {
      validationsSinceBest += 1
    }
    return isBest
  }
}
