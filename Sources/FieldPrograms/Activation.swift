/// The activation function that a layer applies to each of its rows.
///
/// The raw values are the names used on the command line and in checkpoints.
public enum Activation: String, Sendable, CaseIterable, Codable {
  case identity
  case tanh
  /// `log(1 + eᶻ)`.
  case softplus
  case relu
  /// `z · sigmoid(z)` (Elfwing, Uchibe, Doya 2017, arXiv 1702.03118), also called swish (Ramachandran, Zoph, Le 2017,
  /// arXiv 1710.05941).
  case silu
  /// `1 / (1 + e⁻ᶻ)`.
  case sigmoid
  /// `z Φ(z)`, where Φ is the standard normal distribution function: PyTorch's default form, by erf (Hendrycks, Gimpel
  /// 2016, arXiv 1606.08415).
  case gelu
  /// `z` if it is positive, else `eᶻ − 1` (Clevert, Unterthiner, Hochreiter 2016, arXiv 1511.07289).
  case elu
  /// `sin z` for |z| up to `sineEnd`. Beyond that it is 1 or −1, with derivative 0.
  case sin
  /// `|z| + log(1 + e^(−2|z|))` = log(2 cosh z), whose derivative is tanh. It is OT-Flow's activation (Onken et al.
  /// 2021, arXiv 2006.00104).
  case logcosh

  /// The |z| beyond which `sin` is constant: (2k + ½) π with k = 1,024 for Float and 131,072 for Double.
  public static func sineEnd<Scalar: FlowScalar>(_: Scalar.Type) -> Double {
    MemoryLayout<Scalar>.size == 4 ? 0x1.9238d8p+12 : 0x1.921fe788397a1p+19
  }
}
