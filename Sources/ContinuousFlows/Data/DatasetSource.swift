import FieldPrograms
public import FlowIO

/// The source of data: a set that the project generates or ships, or a file.
public enum DatasetSource: Sendable, Equatable {
  case generated(GeneratedDataset)
  case digits
  case file(path: String)

  /// The names of all sets that need no file, in the order in which they are listed.
  public static var names: [String] { GeneratedDataset.allCases.map(\.name) + [Digits.name] }

  /// Default number of samples of a generated set.
  public static let generatedCount = 20_000

  /// A name of `names`, or the path of a .npy or .csv file.
  ///
  /// A text that is neither a name nor looks like a path is an unknown name, not a missing file.
  public init(_ text: String) throws {
    if let generated = GeneratedDataset(rawValue: text) {
      self = .generated(generated)
    } else if text == Digits.name {
      self = .digits
    } else if text.contains("/") || MatrixFile.extensions.contains(where: text.lowercased().hasSuffix) {
      self = .file(path: text)
    } else {
      throw DataError.unknownName(text, known: Self.names)
    }
  }

  /// Loads the data, which are finite and have at least one row.
  ///
  /// - Parameters:
  ///   - count: number of samples of a generated set; ignored for others.
  ///   - seed: the seed of a generated set.
  ///   - header: whether the first line of a text file names the columns.
  public func load(
    count: Int = generatedCount, seed: UInt64 = 0, header: CSVTable.HeaderRule = .automatic
  ) throws -> Dataset {
    switch self {
    case .generated(let generated): return generated.dataset(count: count, seed: seed)
    case .digits: return try Digits.load()
    case .file(let path): return try Dataset(contentsOf: path, header: header)
    }
  }

  /// The default sizes of the split: 360 held-out digits, as in other publications; otherwise a tenth each for
  /// validation and test.
  public var splitSizes: DatasetSplit.Sizes {
    switch self {
    case .digits: .counts(validation: Digits.validationCount, test: Digits.testCount)
    case .generated, .file: .fractions(validation: 0.1, test: 0.1)
    }
  }

  /// The number of samples that `load` gives; nil if only a file tells.
  public var count: Int? {
    switch self {
    case .generated: Self.generatedCount
    case .digits: Digits.count
    case .file: nil
    }
  }

  /// D; nil if only a file tells.
  public var dimension: Int? {
    switch self {
    case .generated: 2
    case .digits: Digits.dimension
    case .file: nil
    }
  }

  /// One line of description for lists.
  public var summary: String {
    switch self {
    case .generated(let generated): generated.summary
    case .digits: Digits.summary
    case .file(let path): path
    }
  }
}
