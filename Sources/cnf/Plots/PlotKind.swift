/// The plots of a run. The raw values are the words of `--kind` and the names of the files in `plots/`.
enum PlotKind: String, CaseIterable {
  /// Data, samples and the density next to each other; two-dimensional flows.
  case density
  /// Predicted classes over the plane, with samples of known class; two-dimensional data.
  case classes
  /// Paths of samples from base to data; two-dimensional flows.
  case paths
  /// Images of the data next to sampled images; the digits.
  case samples
  /// NLL over the steps of training.
  case training
  /// Field evaluations over the steps of training, with those of other runs if asked for.
  case evaluations
}
