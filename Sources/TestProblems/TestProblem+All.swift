extension TestProblem {
  /// The 25 non-stiff problems of DETEST, t from 0 to 20.
  public static let nonStiff = scalar + smallSystems + moderateSystems + orbits + secondOrder
  /// The stiff problems. Explicit methods need far more steps for them than the shape of the solution requires. All
  /// have a `tangent`.
  public static let stiff = vanDerPol + kinetics

  static let detest =
    "Hull, Enright, Fellen, Sedgwick: Comparing numerical methods for ordinary differential equations, "
    + "SIAM J. Numer. Anal. 9(4), 1972"
  static let detestEnd = 20.0
}
