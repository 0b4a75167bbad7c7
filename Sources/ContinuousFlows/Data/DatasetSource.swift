import FieldPrograms
import FlowIO

/// Where data come from: a set that the project generates or ships, or a file.
public enum DatasetSource: Sendable, Equatable {
  case generated(GeneratedDataset)
  case digits
  case file(path: String)

  /// The names of all sets that need no file, in the order of lists.
  public static var names: [String] { GeneratedDataset.allCases.map(\.name) + [Digits.name] }

  /// How many samples of a generated set there are unless asked for otherwise.
  public static let generatedCount = 20_000

  /// A name of `names`, or the path of a .npy or .csv file.
  ///
  /// What is neither a name nor looks like a path is an error, rather than a file that is missing.
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

  /// The data: finite, and at least one row.
  ///
  /// - Parameters:
  ///   - count: how many samples of a generated set; the others are as they are.
  ///   - seed: of a generated set.
  public func load(count: Int = generatedCount, seed: UInt64 = 0) throws -> Dataset {
    switch self {
    case .generated(let generated): return generated.dataset(count: count, seed: seed)
    case .digits: return try Digits.load()
    case .file(let path):
      let dataset = try Dataset(contentsOf: path)
      try dataset.validate()
      return dataset
    }
  }

  /// The sizes of `load`'s usual split: 360 held-out digits, as others report them; else a tenth each for validation and
  /// test.
  public var splitSizes: DatasetSplit.Sizes {
    switch self {
    case .digits: .counts(validation: Digits.validationCount, test: Digits.testCount)
    case .generated, .file: .fractions(validation: 0.1, test: 0.1)
    }
  }

  /// Samples that `load` gives, where that is known without a file.
  public var count: Int? {
    switch self {
    case .generated: Self.generatedCount
    case .digits: Digits.count
    case .file: nil
    }
  }

  /// D, where that is known without a file.
  public var dimension: Int? {
    switch self {
    case .generated: 2
    case .digits: Digits.dimension
    case .file: nil
    }
  }

  /// One line for lists.
  public var summary: String {
    switch self {
    case .generated(let generated): generated.summary
    case .digits: Digits.summary
    case .file(let path): path
    }
  }
}
