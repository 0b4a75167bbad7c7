import FieldPrograms

/// A data set in three parts: one to fit, one to choose by (validation), and one for the final figure (test).
public struct DatasetSplit: Sendable, Equatable {
  public let train: Dataset
  public let validation: Dataset
  public let test: Dataset

  public init(train: Dataset, validation: Dataset, test: Dataset) {
    self.train = train
    self.validation = validation
    self.test = test
  }

  /// Training and validation part together: the data to fit a baseline to.
  public var fitted: Dataset {
    let labels = train.labels.flatMap { first in validation.labels.map { first + $0 } }
    func joined(_ part: KeyPath<Dataset, SampleMatrix?>) -> SampleMatrix? {
      guard let first = train[keyPath: part], let second = validation[keyPath: part] else { return nil }
      return SampleMatrix(
        count: first.count + second.count, dimension: first.dimension, values: first.values + second.values)
    }
    return Dataset(
      name: train.name,
      samples: SampleMatrix(
        count: train.count + validation.count, dimension: train.dimension,
        values: train.samples.values + validation.samples.values),
      quantisation: train.quantisation, labels: labels, identifiers: train.identifiers + validation.identifiers,
      context: joined(\.context), targets: joined(\.targets), remarks: train.remarks)
  }

  /// The sizes of the parts.
  public enum Sizes: Sendable, Equatable {
    /// Fractions of all samples, rounded down; each part has at least one sample.
    case fractions(validation: Double, test: Double)
    /// Numbers of samples; the rest is for training.
    case counts(validation: Int, test: Int)
  }

  /// The step of the random stream of shuffles that splits use. No epoch of training is so late.
  static let splitStep: UInt64 = 1 << 44 - 1
}

extension Dataset {
  /// Shuffles the samples by `seed` and cuts them: first the test part, then validation, the rest for training.
  ///
  /// So the test part does not depend on the size of the validation part.
  public func split(_ sizes: DatasetSplit.Sizes, seed: UInt64 = 0) throws -> DatasetSplit {
    let validationCount: Int
    let testCount: Int
    switch sizes {
    case .fractions(let validation, let test):
      precondition(validation >= 0 && test >= 0 && validation + test < 1, "fractions \(validation) and \(test)")
      validationCount = max(1, Int(Double(count) * validation))
      testCount = max(1, Int(Double(count) * test))
    case .counts(let validation, let test):
      precondition(validation >= 0 && test >= 0, "counts \(validation) and \(test)")
      validationCount = validation
      testCount = test
    }
    guard count >= validationCount + testCount + 2 else {
      throw DataError.tooFewRows(source: name, count: count, needed: validationCount + testCount + 2)
    }
    let source = RandomSource(seed: seed, stream: .shuffle, step: DatasetSplit.splitStep)
    let order = permutation(count: count, from: source)
    return DatasetSplit(
      train: rows(order.dropFirst(testCount + validationCount)),
      validation: rows(order.dropFirst(testCount).prefix(validationCount)), test: rows(order.prefix(testCount)))
  }
}
