import FlowIO

extension SafetensorsFile {
  func text(_ key: String) throws(FlowFileError) -> String {
    guard let text = metadata[key] else { throw .metadata(path: source, key: key, problem: "is missing") }
    return text
  }

  func number<Number: LosslessStringConvertible>(
    _ key: String, _: Number.Type
  ) throws(FlowFileError) -> Number {
    let text = try text(key)
    guard let number = Number(text) else {
      throw .metadata(path: source, key: key, problem: "'\(text)' is no number of the kind expected")
    }
    return number
  }

  /// Exactly `count` finite numbers, separated by commas.
  func numbers<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ key: String, count: Int, _: Number.Type = Float.self
  ) throws(FlowFileError) -> [Number] {
    let numbers = try text(key).split(separator: ",").map { Number(String($0)) ?? .nan }
    guard numbers.count == count, numbers.allSatisfy({ $0.isFinite }) else {
      throw .metadata(path: source, key: key, problem: "does not hold \(count) finite numbers")
    }
    return numbers
  }

  /// The kind of a file of this project, such as `flow`.
  ///
  /// - Throws: `FlowFileError.wrongKind` if the file has another kind.
  func check(kind: String) throws(FlowFileError) {
    let found = metadata[FlowMetadata.kindKey]
    guard found == kind else { throw .wrongKind(path: source, found: found, expected: kind) }
  }

  /// A positive, finite number.
  func positive(_ key: String) throws(FlowFileError) -> Double {
    let number = try number(key, Double.self)
    guard number > 0, number.isFinite else {
      throw .metadata(path: source, key: key, problem: "\(number) is not positive and finite")
    }
    return number
  }

  /// A field program of `dimension` rows, as `ProgramText` writes it.
  func program(_ key: String, dimension: Int) throws(FlowFileError) -> FieldProgram {
    let text = try text(key)
    do throws(ProgramText.Problem) {
      return try ProgramText.program(text, dimension: dimension)
    } catch {
      throw .metadata(path: source, key: key, problem: error.description)
    }
  }
}

extension Sequence where Element: CustomStringConvertible {
  /// Numbers as metadata: separated by commas, each in the shortest decimal form that reads back to the same bits.
  var metadataText: String { map(\.description).joined(separator: ",") }
}

extension FieldProgram {
  /// The program as metadata.
  ///
  /// - Throws: `FlowFileError.notWritable` if it has no text.
  func metadataText() throws(FlowFileError) -> String {
    do throws(ProgramText.Problem) {
      return try ProgramText.text(of: self)
    } catch {
      throw .notWritable(problem: error.description)
    }
  }
}
