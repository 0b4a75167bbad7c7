import CLibrary

/// Negative log-likelihood in bits per dimension.
///
/// Continuous data: `nll / (D ln 2)`. Quantised data: on the original levels. There x is in `[0, 1)` and a level is a bin of
/// width `1/levels`, so its negative log-probability is at most `nll + D ln levels` (Theis, van den Oord, Bethge 2016,
/// arXiv 1511.01844, section 3.1).
///
/// - Parameter nll: mean negative log-density of x, in nats.
public func bitsPerDimension(nll: Double, dimension: Int, quantisation: Quantisation? = nil) -> Double {
  let levels = quantisation.map { log(Double($0.levels)) } ?? 0
  return (nll / Double(dimension) + levels) / log(2)
}
