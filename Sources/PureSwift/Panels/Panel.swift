import FieldPrograms

// All unsafe memory of this module is in this file and SharedArray.swift. Other files index these types.

/// A view of `rows × lanes` scalars, feature-major: a row's lanes are contiguous, and lanes are samples.
///
/// The memory belongs to a `PanelPool`, which must outlive the view. Indices are checked in debug builds.
struct Panel<V: LaneVector> {
  let rows: Int
  /// Vectors of a row.
  let groups: Int
  private let base: UnsafeMutablePointer<V>

  fileprivate init(rows: Int, groups: Int, base: UnsafeMutablePointer<V>) {
    self.rows = rows
    self.groups = groups
    self.base = base
  }

  @inline(__always) var lanes: Int { groups &* V.scalarCount }
  /// Vectors of the whole panel.
  @inline(__always) var count: Int { rows &* groups }
  @inline(__always) var isEmpty: Bool { rows == 0 }

  /// The vector of this number, counted row by row.
  @inline(__always)
  subscript(index: Int) -> V {
    get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  /// One vector of a row.
  @inline(__always)
  subscript(row: Int, group: Int) -> V {
    get { self[row &* groups &+ group] }
    nonmutating set { self[row &* groups &+ group] = newValue }
  }

  /// One scalar.
  @inline(__always)
  subscript(row: Int, lane lane: Int) -> V.Scalar {
    get {
      assert(row >= 0 && row < rows && lane >= 0 && lane < lanes)
      return UnsafeMutableRawPointer(base).assumingMemoryBound(to: V.Scalar.self)[row &* lanes &+ lane]
    }
    nonmutating set {
      assert(row >= 0 && row < rows && lane >= 0 && lane < lanes)
      UnsafeMutableRawPointer(base).assumingMemoryBound(to: V.Scalar.self)[row &* lanes &+ lane] = newValue
    }
  }

  /// Some of the rows.
  func rows(from first: Int, count: Int) -> Panel {
    precondition(first >= 0 && count >= 0 && first + count <= rows, "rows \(first)..<\(first + count) of \(rows)")
    return Panel(rows: count, groups: groups, base: base + first * groups)
  }

  /// One row, or no rows for a panel without rows.
  func row(_ number: Int) -> Panel { isEmpty ? self : rows(from: number, count: 1) }

  /// The same memory from vector `first` on, as a panel of another shape.
  func reshaped(from first: Int, rows: Int, groups: Int) -> Panel {
    precondition(first >= 0 && first + rows * groups <= count, "\(rows) × \(groups) vectors from \(first) of \(count)")
    return Panel(rows: rows, groups: groups, base: base + first)
  }

  /// The panel as a matrix of `rows × lanes`.
  var matrix: MatrixView<V.Scalar> {
    MatrixView(
      rows: rows, columns: lanes, base: UnsafeMutableRawPointer(base).assumingMemoryBound(to: V.Scalar.self))
  }

  /// Calls `body` with the panel's scalars, row after row.
  @inline(__always)
  func withSpan<Result>(_ body: (Span<V.Scalar>) -> Result) -> Result {
    body(
      UnsafeBufferPointer(start: UnsafeRawPointer(base).assumingMemoryBound(to: V.Scalar.self), count: rows * lanes)
        .span)
  }

  /// Calls `body` with the first `count` scalars, all if nil, to be written.
  @inline(__always)
  func withMutableSpan<Result>(count: Int? = nil, _ body: (inout MutableSpan<V.Scalar>) -> Result) -> Result {
    let count = count ?? rows * lanes
    precondition(count <= rows * lanes, "\(count) scalars of \(rows * lanes)")
    let scalars = UnsafeMutableBufferPointer(
      start: UnsafeMutableRawPointer(base).assumingMemoryBound(to: V.Scalar.self), count: count)
    var span = scalars.mutableSpan
    return body(&span)
  }

  func fill(_ value: V) {
    for index in 0..<count { self[index] = value }
  }

  /// Copies a panel of the same shape.
  func copy(_ other: Panel) {
    assert(rows == other.rows && groups == other.groups)
    for index in 0..<count { self[index] = other[index] }
  }

  func copyLane(_ from: Int, to lane: Int) {
    for row in 0..<rows { self[row, lane: lane] = self[row, lane: from] }
  }

  /// Half the mean over rows of one lane's squares.
  func halfMeanSquare(lane: Int) -> Double {
    var sum = 0.0
    for row in 0..<rows { sum += Double(self[row, lane: lane]) * Double(self[row, lane: lane]) }
    return sum / Double(2 * rows)
  }

  /// Adds a panel of the same shape.
  func add(_ other: Panel) {
    assert(rows == other.rows && groups == other.groups)
    for index in 0..<count { self[index] = self[index] + other[index] }
  }

  /// `self[lane][row] = source[row][lane]`: rows of `self` are the lanes of `source`. Columns past `source.rows` keep
  /// what they hold.
  func transpose(_ source: Panel) {
    assert(rows == source.lanes && lanes >= source.rows)
    let from = UnsafeMutableRawPointer(source.base).assumingMemoryBound(to: V.Scalar.self)
    let to = UnsafeMutableRawPointer(base).assumingMemoryBound(to: V.Scalar.self)
    let columns = source.lanes
    let stride = lanes
    for row in 0..<source.rows {
      for lane in 0..<columns { to[lane &* stride &+ row] = from[row &* columns &+ lane] }
    }
  }
}

/// A read-only row-major matrix `[rows][columns]` in memory that it does not own.
struct MatrixView<Scalar: FlowScalar> {
  let rows: Int
  let columns: Int
  private let base: UnsafePointer<Scalar>

  init(rows: Int, columns: Int, base: UnsafePointer<Scalar>) {
    self.rows = rows
    self.columns = columns
    self.base = base
  }

  @inline(__always)
  subscript(row: Int, column: Int) -> Scalar {
    assert(row >= 0 && row < rows && column >= 0 && column < columns)
    return base[row &* columns &+ column]
  }
}

/// Owns panels: zeroed when made, freed together.
final class PanelPool<V: LaneVector> {
  private var owned: [UnsafeMutablePointer<V>] = []

  func panel(rows: Int, groups: Int) -> Panel<V> {
    let base = UnsafeMutablePointer<V>.allocate(capacity: max(rows * groups, 1))
    base.initialize(repeating: V(), count: max(rows * groups, 1))
    owned.append(base)
    return Panel(rows: rows, groups: groups, base: base)
  }

  deinit {
    for base in owned { base.deallocate() }
  }
}
