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
}
