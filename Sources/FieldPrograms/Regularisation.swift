/// What a loss gains from the regularisers of RNODE (Finlay, Jacobsen, Nurbekyan, Oberman 2020, arXiv 2002.02798): they make
/// a flow straighter and slower, so that its solves take fewer steps.
///
/// Each sample's loss gains `s · (kineticEnergy · ∫ ½ mean_D f² |dt| + frobeniusNorm · ∫ ‖J‖²_F / D |dt|)`, where s is the
/// `scale` of the standard normal likelihood, and 1 for cotangents: for these the coefficients are `∂L/∂(integral)` of every
/// sample. One that is not 0 needs a solver whose options integrate its regulariser.
public struct Regularisation: Sendable, Equatable {
  public var kineticEnergy: Double
  public var frobeniusNorm: Double

  public init(kineticEnergy: Double = 0, frobeniusNorm: Double = 0) {
    self.kineticEnergy = kineticEnergy
    self.frobeniusNorm = frobeniusNorm
  }

  public static let none = Regularisation()
}
