import ContinuousFlows

/// What a user should know about a file of data before training: things that make the figures meaningless without being
/// errors. The remarks are about samples in their own units, in Double.
struct DataRemarks {
  private let split: DatasetSplit
  private var name: String { split.train.name }

  init(on split: DatasetSplit) { self.split = split }

  /// One sentence each.
  ///
  /// - Parameter isDensity: whether the model is a density, which a column on a few values has no bound for.
  func all(isDensity: Bool) -> [String] {
    // Levels get noise.
    guard split.train.quantisation == nil else { return [] }
    return (isDensity ? columnRemarks + [equalColumns] : []).compactMap { $0 }
      + [wildRow, repeatedRows].compactMap { $0 }
  }

  // MARK: Columns

  /// What a column holds.
  private enum Finding {
    /// Always this value.
    case constant(Double)
    /// This value in most samples, and in how many.
    case point(Double, count: Int)
    /// Only so many different values.
    case levels(Int)
  }

  /// As many different values as a byte has: more are no levels.
  private static let mostLevels = 256
  /// How often each level occurs on average, at least.
  private static let leastRepeats = 5

  private var columnRemarks: [String?] {
    let training = split.train.samples
    let findings = (0..<training.dimension).map { Self.finding(in: training, column: $0) }
    func remark(_ sentence: (_ column: Int, _ finding: Finding) -> String?) -> String? {
      let all = findings.indices.compactMap { column in
        findings[column].flatMap { sentence(column, $0) }.map { (column, $0) }
      }
      guard let first = all.first else { return nil }
      let others = all.count == 1 ? "" : " (\(all.count - 1) more columns likewise)"
      return "column \(first.0 + 1) of \(name) \(first.1)\(others)"
    }
    return [
      remark { _, finding in
        guard case .constant(let value) = finding else { return nil }
        return "is \(value) in every training sample, so its density has no bound: leave the column out"
      },
      remark { _, finding in
        guard case .point(let value, let count) = finding else { return nil }
        return
          "is \(value) in \(count) of \(training.count) training samples, so its density has no bound there: leave "
          + "the column out, or model only the other samples"
      },
      remark { _, finding in
        guard case .levels(let count) = finding else { return nil }
        return "has only \(count) different values in \(training.count) training samples, so its density has no bound "
          + "and its NLL means nothing: add uniform noise as wide as the distance between the values"
      },
    ]
  }

  private static func finding(in samples: SampleMatrix, column: Int) -> Finding? {
    let values = stride(from: column, to: samples.values.count, by: samples.dimension).lazy.map { samples.values[$0] }
    // The only candidate for a majority (Boyer, Moore 1991, "MJRTY").
    var (candidate, lead) = (0.0, 0)
    var distinct = Set<Double>()
    for value in values {
      if lead == 0 { candidate = value }
      lead += value == candidate ? 1 : -1
      if distinct.count <= mostLevels { distinct.insert(value) }
    }
    let count = values.reduce(0) { $0 + ($1 == candidate ? 1 : 0) }
    if count == samples.count { return .constant(candidate) }
    let areLevels = distinct.count <= mostLevels && distinct.count * leastRepeats <= samples.count
    // Of a few levels, one may well be more frequent than all others.
    if 2 * count > samples.count, !areLevels || 10 * count > 9 * samples.count {
      return .point(candidate, count: count)
    }
    return areLevels ? .levels(distinct.count) : nil
  }

  /// Two columns that are the same leave a density on a plane.
  private var equalColumns: String? {
    let (values, columns) = (split.train.samples.values, split.train.dimension)
    func isEqual(_ first: Int, _ second: Int) -> Bool {
      stride(from: 0, to: values.count, by: columns).allSatisfy { values[$0 + first] == values[$0 + second] }
    }
    var seen: [UInt64: [Int]] = [:]
    for column in 0..<columns {
      // A sum of all bits finds candidates in one pass.
      var sum: UInt64 = 0
      var isConstant = true
      for index in stride(from: column, to: values.count, by: columns) {
        sum = sum &* 0x9E37_79B9_7F4A_7C15 &+ (values[index] + 0).bitPattern
        if values[index] != values[column] { isConstant = false }
      }
      guard !isConstant else { continue }
      if let first = seen[sum]?.first(where: { isEqual($0, column) }) {
        return
          "columns \(first + 1) and \(column + 1) of \(name) are the same in every training sample, so their density "
          + "has no bound: leave one of them out"
      }
      seen[sum, default: []].append(column)
    }
    return nil
  }

  // MARK: Rows

  /// Fewer samples may well have a row like that.
  private static let leastSamples = 20
  /// The part of a column's variance that no single row of usual data makes.
  private static let wildShare = 0.5

  /// A row that makes most of a column's variance. Standardising then squeezes all others together.
  private var wildRow: String? {
    let parts = [split.train, split.validation, split.test]
    let count = parts.reduce(0) { $0 + $1.count }
    guard count >= Self.leastSamples else { return nil }
    for column in 0..<split.train.dimension {
      func each(_ body: (_ value: Double, _ row: UInt64) -> Void) {
        for part in parts {
          for row in 0..<part.count { body(part.samples.values[row * part.dimension + column], part.identifiers[row]) }
        }
      }
      // About the mean of the others: the row itself would move the mean.
      var (low, high) = ((value: Double.infinity, row: UInt64(0)), (value: -Double.infinity, row: UInt64(0)))
      let origin = parts[0].samples.values[column]
      var (sum, squares) = (0.0, 0.0)
      each { value, row in
        if value < low.value { low = (value, row) }
        if value > high.value { high = (value, row) }
        sum += (value - origin) / Double(count)
      }
      each { value, _ in squares += (value - origin - sum) * (value - origin - sum) }
      let extreme = high.value - origin - sum > origin + sum - low.value ? high : low
      let square = (extreme.value - origin - sum) * (extreme.value - origin - sum)
      guard squares > 0, square.isFinite, square > Self.wildShare * squares else { continue }
      // A column of one value and one exception is a matter of the column.
      var others = (least: Double.infinity, most: -Double.infinity)
      each { value, row in
        if row != extreme.row { others = (min(others.least, value), max(others.most, value)) }
      }
      guard others.least < others.most else { continue }
      return
        "row \(extreme.row + 1) of \(name) is \(extreme.value) in column \(column + 1), and all other rows are from "
        + "\(others.least) to \(others.most): remove the row if it is an error, because the scale follows it"
    }
    return nil
  }

  /// Held-out samples that are training samples as well measure nothing.
  private var repeatedRows: String? { Self.repeatedRows(of: split.test, in: [split.train, split.validation]) }

  /// The remark on rows of `test` that are also in the other parts; nil if there are none.
  static func repeatedRows(of test: Dataset, in parts: [Dataset]) -> String? {
    // Where every column has a few values, equal rows are different samples.
    guard test.quantisation == nil, let first = parts.first?.samples,
      (0..<first.dimension).contains(where: { finding(in: first, column: $0) == nil })
    else { return nil }
    func row(_ data: Dataset, _ number: Int) -> [Double] {
      Array(data.samples[number]) + (data.context.map { Array($0[number]) } ?? [])
        + (data.targets.map { Array($0[number]) } ?? [])
    }
    var known = Set<[Double]>()
    for number in 0..<test.count { known.insert(row(test, number)) }
    var found = Set<[Double]>()
    for part in parts {
      for number in 0..<part.count {
        let row = row(part, number)
        if known.contains(row) { found.insert(row) }
      }
    }
    guard !found.isEmpty else { return nil }
    let count = (0..<test.count).count { found.contains(row(test, $0)) }
    return
      "\(count) of the \(test.count) held-out samples of \(test.name) are among the training samples as well, so the "
      + "held-out figures are too good: remove repeated rows from the file"
  }
}
