/// The pictures of a run. The raw values are the words of `--kind` and the names of the files in `plots/`.
enum PlotKind: String, CaseIterable {
  /// Data, samples and the density side by side; two-dimensional flows.
  case density
  /// What a classifier says of every place, under points whose classes are known; two-dimensional data.
  case classes
  /// Where particles are on their way from the base to the data; two-dimensional flows.
  case particles
  /// Images of the data beside images that were drawn; the digits.
  case samples
  /// Log-likelihood over the steps of training.
  case training
  /// Evaluations of the field over the steps of training, of other runs too where they are named.
  case evaluations
}
