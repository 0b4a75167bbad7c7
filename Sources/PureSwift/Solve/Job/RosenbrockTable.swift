import FieldPrograms

/// What a Rosenbrock method has beside the tableau's a, b and e, which belong to its transformed stages
/// (`TileSolver+Rosenbrock.swift`).
///
/// The C library has these numbers too, and does not give them out; that both have the same is seen where solves by both agree to
/// rounding, and that they are right by their order conditions.
public struct RosenbrockTable: Sendable {
  /// Of every stage.
  public let gamma: Double
  /// `[stages][stages]`, strictly lower triangular: diag(1/γ) − Γ⁻¹.
  public let c: [[Double]]
  /// Stage i is at t + αᵢh.
  public let alpha: [Double]
  /// Of ∂f/∂t: the row sums of Γ.
  public let d: [Double]
  /// Of the dense output's second and third power, which is of order 3.
  public let second: [Double]
  public let third: [Double]

  /// States of more rows are refused, as in C: a tile's matrices are `[D][D][lanes]`.
  static let mostRows = 512

  /// By name; nil: this module has no numbers for the method.
  public static func named(_ name: String) -> RosenbrockTable? { name == "rodas4" ? rodas4 : nil }

  /// RODAS (Hairer and Wanner 1996, "Solving Ordinary Differential Equations II", IV.7), coefficients as its code prints them.
  static let rodas4 = RosenbrockTable(
    gamma: 0.25,
    c: [
      [0, 0, 0, 0, 0, 0],
      [-5.6688, 0, 0, 0, 0, 0],
      [-2.430093356833875, -0.2063599157091915, 0, 0, 0, 0],
      [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0, 0, 0],
      [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0, 0],
      [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054, 0],
    ],
    alpha: [0, 0.386, 0.21, 0.63, 1, 1],
    d: [0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0],
    second: [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662, 0],
    third: [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872, 0])
}
