import CLibrary

/// Negative log-likelihood in bits per dimension.
///
/// For continuous data this is `nll / (D ln 2)`. For quantised data it refers to the original levels: x is in `[0, 1)`
/// and a level is a bin of width `1/levels`, so its negative log-probability is at most `nll + D ln levels` (Theis, van
/// den Oord, Bethge 2016, arXiv 1511.01844, section 3.1).
///
/// - Parameter nll: mean negative log-likelihood of x in nats per sample.
public func bitsPerDimension(nll: Double, dimension: Int, quantisation: Quantisation? = nil) -> Double {
  let levels = quantisation.map { log(Double($0.levels)) } ?? 0
  return (nll / Double(dimension) + levels) / log(2)
}
