/// The common case: a continuous flow by maximum likelihood.
extension Trainer where Model == ContinuousFlow {
  /// Starts a new run from `flow`'s parameters.
  ///
  /// - Throws: as `init(state:…)` and `MaximumLikelihood.init`.
  public convenience init(
    flow: ContinuousFlow, training: Dataset, validation: Dataset? = nil, options: TrainingOptions,
    folder: RunFolder? = nil
  ) throws {
    let state = TrainingState(model: flow, keepsAverage: options.averageDecay != nil)
    try self.init(state: state, training: training, validation: validation, options: options, folder: folder)
  }

  /// Resumes the run in `folder` from its last checkpoint.
  ///
  /// - Throws: as above, and the errors of `TrainingState.init(contentsOf:)`.
  public convenience init(
    resuming folder: RunFolder, training: Dataset, validation: Dataset? = nil, options: TrainingOptions
  ) throws {
    let state = try TrainingState<ContinuousFlow>(contentsOf: folder.checkpointPath)
    try self.init(state: state, training: training, validation: validation, options: options, folder: folder)
  }

  /// Continues from `state`.
  ///
  /// - Throws: as above.
  public convenience init(
    state: TrainingState<ContinuousFlow>, training: Dataset, validation: Dataset?, options: TrainingOptions,
    folder: RunFolder?
  ) throws {
    try options.validate()
    try self.init(
      state: state, objective: MaximumLikelihood(flow: state.model, options: options), training: training,
      validation: validation, options: options, folder: folder)
  }
}
