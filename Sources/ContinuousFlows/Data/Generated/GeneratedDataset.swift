/// Two-dimensional distributions of the literature: those of FFJORD's experiments, with the same definitions and scale
/// (Grathwohl, Chen, Bettencourt, Sutskever and Duvenaud, ICLR 2019).
///
/// The raw values are the names on the command line.
public enum GeneratedDataset: String, Sendable, CaseIterable {
  case pinwheel
  case eightGaussians = "eight-gaussians"
  case moons
  case circles
  case checkerboard
  case twoSpirals = "two-spirals"
  case swissRoll = "swiss-roll"
  case rings
  /// From augmented neural ODEs (Dupont, Doucet and Teh 2019, arXiv 1904.01681).
  case concentric

  public var name: String { rawValue }

  /// One line of description for lists.
  public var summary: String {
    switch self {
    case .pinwheel: "five bent arms around the origin"
    case .eightGaussians: "eight Gaussians on a circle of radius 2.8"
    case .moons: "two half circles that reach into each other"
    case .circles: "two circles, of radius 3 and 1.5, with noise"
    case .checkerboard: "eight filled squares of a four by four board"
    case .twoSpirals: "two spiral arms of one and a half turns"
    case .swissRoll: "one spiral arm, the roll seen from its side"
    case .rings: "four rings, of radius 0.75, 1.5, 2.25 and 3, with noise"
    case .concentric: "a disc of radius 0.5 inside a ring of 1 to 1.5: two classes that no flow of the plane parts"
    }
  }
}
