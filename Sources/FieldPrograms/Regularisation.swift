/// The coefficients of RNODE's regularisers (Finlay, Jacobsen, Nurbekyan, Oberman 2020, arXiv 2002.02798).
///
/// The regularisers make a flow straighter and slower, so that its solves take fewer steps. They add
/// `s · (kineticEnergy · ∫ ½ mean_D f² |dt| + frobeniusNorm · ∫ ‖J‖²_F / D |dt|)` to the loss of each sample. Here s is
/// the `scale` of the standard normal likelihood. For cotangents s is 1, so the coefficients are `∂L/∂(integral)` of
/// every sample. A coefficient that is not 0 needs a solver whose options integrate that regulariser.
public struct Regularisation: Sendable, Equatable {
  public var kineticEnergy: Double
  public var frobeniusNorm: Double

  public init(kineticEnergy: Double = 0, frobeniusNorm: Double = 0) {
    self.kineticEnergy = kineticEnergy
    self.frobeniusNorm = frobeniusNorm
  }

  public static let none = Regularisation()
}
