import FieldPrograms

/// The integrated quantities of every lane at one time: the slopes of the state `[D][lanes]`, of the log-determinant,
/// and of the regularisers over |dt| (one row each, no row if absent).
struct SlopePanels<V: LaneVector> {
  let velocity: Panel<V>
  let divergence: Panel<V>
  let frobeniusNorm: Panel<V>

  init(job: SolveJob<V.Scalar>, pool: PanelPool<V>) {
    velocity = pool.panel(rows: job.plan.stateDimension, groups: job.groups)
    divergence = pool.panel(rows: 1, groups: job.groups)
    frobeniusNorm = pool.panel(rows: job.options.integratesFrobeniusNorm ? 1 : 0, groups: job.groups)
  }

  /// One lane's slopes, except those of the state.
  func integrands(lane: Int) -> Integrands {
    Integrands(
      divergence: Double(divergence[0, lane: lane]), kineticEnergy: velocity.halfMeanSquare(lane: lane),
      frobeniusNorm: frobeniusNorm.isEmpty ? 0 : Double(frobeniusNorm[0, lane: lane]))
  }
}

/// The slopes of one lane's log-determinant and regularisers, or sums of them.
struct Integrands {
  var divergence = 0.0
  var kineticEnergy = 0.0
  var frobeniusNorm = 0.0

  mutating func add(_ weight: Double, _ other: Integrands) {
    divergence += weight * other.divergence
    kineticEnergy += weight * other.kineticEnergy
    frobeniusNorm += weight * other.frobeniusNorm
  }
}

/// The slopes at the beginnings of a tile's last steps, in a ring buffer. All lanes are at the same step, but each lane
/// has its own number of slopes in its formula.
struct AdamsHistory<V: LaneVector> {
  private let ring: [SlopePanels<V>]
  private var newest = 0
  /// Number of slopes of every lane, the present step's included.
  private(set) var slopes: [Int]
  /// For implicit methods: the present x′ − x, its part that stays constant during the iteration, and the slopes there.
  let change: Panel<V>
  let known: Panel<V>
  let corrected: SlopePanels<V>

  init(mostSlopes: Int, job: SolveJob<V.Scalar>, pool: PanelPool<V>) {
    ring = (0..<mostSlopes).map { _ in SlopePanels(job: job, pool: pool) }
    slopes = Array(repeating: 0, count: job.groups * V.scalarCount)
    change = pool.panel(rows: job.plan.stateDimension, groups: job.groups)
    known = pool.panel(rows: job.plan.stateDimension, groups: job.groups)
    corrected = SlopePanels(job: job, pool: pool)
  }

  /// The slopes at the beginning of the step `age` steps ago.
  subscript(age: Int) -> SlopePanels<V> { ring[(newest + age) % ring.count] }

  /// A sample that starts has no slopes.
  mutating func removeAll() {
    for lane in slopes.indices { slopes[lane] = 0 }
  }

  /// Makes room for the newest slopes; if the ring is full, they replace the oldest.
  mutating func makeRoom() {
    newest = (newest + ring.count - 1) % ring.count
    for lane in slopes.indices { slopes[lane] = min(slopes[lane] + 1, ring.count) }
  }

  /// The lane's formula does not grow with the present step.
  mutating func hold(_ lane: Int) { slopes[lane] -= 1 }
}
