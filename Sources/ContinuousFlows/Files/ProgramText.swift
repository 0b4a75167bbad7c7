/// A field program as one line of text, as it is stored in files: `time; concatenate 0 1; linear 2 64 tanh; linear 3 2
/// identity`.
///
/// Operation n produces block n, counted from 1; block 0 is the state. `linear` has its input block, rows and
/// activation; `activation` its input and activation; `add`, `concatenate` and `multiply` two input blocks. `slice 2 4
/// 3` takes 3 rows of block 2 from row 4. `context 3` has 3 rows, `norm 2 1e-05` its input and epsilon, `dropout 2 0.1`
/// its input and rate. `scale 2 -1.0` has its input and factor, `scale 2 -1.0 1.0` also an offset; `sum 2` has its
/// input. `transposed 5 2` has its input and the block whose linear operation holds the weights.
enum ProgramText {
  /// Upper bounds for values in a file, far above any use, so that no product overflows before it is compared with the
  /// file's size.
  static let largestRows = 1 << 24
  static let largestOperationCount = 4096

  /// Why a text is not a program, or a program has no text.
  struct Problem: Error, Equatable {
    let description: String
  }

  /// Throws for a callback, which is code and has no text.
  static func text(of program: FieldProgram) throws(Problem) -> String {
    if let layout = program.callbackLayouts.first {
      throw Problem(description: "its field calls '\(layout.callback.name)', which is code of the host")
    }
    return program.operations.map { operation in
      switch operation {
      case .linear(let input, let rows, let activation): "linear \(input.index) \(rows) \(activation.rawValue)"
      case .activation(let input, let activation): "activation \(input.index) \(activation.rawValue)"
      case .time: "time"
      case .add(let first, let second): "add \(first.index) \(second.index)"
      case .concatenate(let first, let second): "concatenate \(first.index) \(second.index)"
      case .multiply(let first, let second): "multiply \(first.index) \(second.index)"
      case .slice(let input, let first, let rows): "slice \(input.index) \(first) \(rows)"
      case .context(let rows): "context \(rows)"
      case .layerNorm(let input, let epsilon): "norm \(input.index) \(epsilon)"
      case .dropout(let input, let rate): "dropout \(input.index) \(rate)"
      case .scale(let input, let factor, let offset):
        offset == 0 ? "scale \(input.index) \(factor)" : "scale \(input.index) \(factor) \(offset)"
      case .transposed(let input, let weights): "transposed \(input.index) \(weights.index)"
      case .sum(let input): "sum \(input.index)"
      case .callback(let input, let rows, let callback): "callback \(input.index) \(rows) \(callback.name)"
      }
    }.joined(separator: "; ")
  }

  /// Parses a program. Everything that `FieldProgram` checks by preconditions is checked here first.
  static func program(_ text: String, dimension: Int) throws(Problem) -> FieldProgram {
    guard (1...largestRows).contains(dimension) else {
      throw Problem(description: "dimension \(dimension) is not from 1 to \(largestRows)")
    }
    var program = FieldProgram(stateDimension: dimension)
    for part in text.split(separator: ";") {
      guard program.operations.count < largestOperationCount else {
        throw Problem(description: "more than \(largestOperationCount) operations")
      }
      program.append(try OperationText(part, in: program).operation())
      guard let rows = program.blockRows.last, rows <= largestRows else {
        throw Problem(description: "'\(part)' makes more than \(largestRows) rows")
      }
    }
    guard program.isComplete else {
      // A program without operations is refused as well: it gives no rows.
      let last = text.split(separator: ";").last?.drop { $0 == " " } ?? ""
      let rows = program.operations.isEmpty ? 0 : program.blockRows[program.blockRows.count - 1]
      throw Problem(description: "the last operation, '\(last)', gives \(rows) rows, must be the state's \(dimension)")
    }
    return program
  }
}

/// Parses one operation of a program's text.
private struct OperationText {
  private let text: Substring
  private let words: [Substring]
  /// The operations before this one.
  private let program: FieldProgram

  init(_ text: Substring, in program: FieldProgram) {
    self.text = text
    self.program = program
    words = text.split(separator: " ")
  }

  func operation() throws(ProgramText.Problem) -> FieldProgram.Operation {
    switch (words.first, words.count) {
    case ("time", 1): return .time
    case ("linear", 4):
      guard let rows = Int(words[2]), (1...ProgramText.largestRows).contains(rows) else {
        throw problem("has rows that are not from 1 to \(ProgramText.largestRows)")
      }
      return .linear(input: try block(1), rows: rows, activation: try activation(3))
    case ("activation", 3): return .activation(input: try block(1), try activation(2))
    case ("concatenate", 3): return .concatenate(try block(1), try block(2))
    case ("add", 3): return try addition()
    case ("multiply", 3): return try product()
    case ("slice", 4): return try slice()
    case ("context", 2): return try context()
    case ("norm", 3):
      let epsilon = try number(2, "an epsilon that is not above 0") { $0 > 0 && $0.isFinite }
      return .layerNorm(input: try block(1), epsilon: epsilon)
    case ("dropout", 3):
      let rate = try number(2, "a rate that is not in [0, 1)") { (0..<1).contains($0) }
      return .dropout(input: try block(1), rate: rate)
    case ("scale", 3), ("scale", 4):
      let factor = try number(2, "a factor that is not finite") { $0.isFinite }
      let offset = words.count == 4 ? try number(3, "an offset that is not finite") { $0.isFinite } : 0
      return .scale(input: try block(1), by: factor, plus: offset)
    case ("sum", 2): return .sum(input: try block(1))
    case ("transposed", 3):
      let (input, weights) = (try block(1), try block(2))
      if let problem = program.problemOfTransposing(input, weightsOf: weights) { throw self.problem(problem) }
      return .transposed(input: input, weightsOf: weights)
    default: throw problem("is no operation")
    }
  }

  private func addition() throws(ProgramText.Problem) -> FieldProgram.Operation {
    let (first, second) = (try block(1), try block(2))
    guard rows(first) == rows(second) else {
      throw problem("adds blocks of \(rows(first)) and \(rows(second)) rows")
    }
    return .add(first, second)
  }

  private func product() throws(ProgramText.Problem) -> FieldProgram.Operation {
    let (first, second) = (try block(1), try block(2))
    guard [1, rows(first)].contains(rows(second)) else {
      throw problem(
        "multiplies blocks of \(rows(first)) and \(rows(second)) rows, must be equal or 1 row last")
    }
    return .multiply(first, second)
  }

  private func slice() throws(ProgramText.Problem) -> FieldProgram.Operation {
    let input = try block(1)
    guard let first = Int(words[2]), let count = Int(words[3]), (0...ProgramText.largestRows).contains(first),
      (1...ProgramText.largestRows).contains(count), first + count <= rows(input)
    else {
      throw problem(
        "takes \(words[3]) rows from row \(words[2]) on of block \(input.index), which has \(rows(input))")
    }
    return .slice(input: input, first: first, rows: count)
  }

  private func context() throws(ProgramText.Problem) -> FieldProgram.Operation {
    guard let rows = Int(words[1]), (1...ProgramText.largestRows).contains(rows),
      [0, rows].contains(program.contextDimension)
    else {
      throw problem(
        "has rows that are not from 1 to \(ProgramText.largestRows), or not the \(program.contextDimension) of the "
          + "context operations before")
    }
    return .context(rows: rows)
  }

  private func block(_ position: Int) throws(ProgramText.Problem) -> FieldProgram.Block {
    guard let index = Int(words[position]), program.blockRows.indices.contains(index) else {
      throw problem("reads block \(words[position]), which does not exist before it")
    }
    return .init(index: index)
  }

  private func rows(_ block: FieldProgram.Block) -> Int { program.blockRows[block.index] }

  private func activation(_ position: Int) throws(ProgramText.Problem) -> Activation {
    guard let activation = Activation(rawValue: String(words[position])) else {
      throw .init(description: "unknown activation '\(words[position])'")
    }
    return activation
  }

  private func number(
    _ position: Int, _ defect: String, _ isValid: (Double) -> Bool
  ) throws(ProgramText.Problem) -> Double {
    guard let number = Double(words[position]), isValid(number) else { throw problem("has \(defect)") }
    return number
  }

  private func problem(_ words: String) -> ProgramText.Problem { .init(description: "'\(text)' \(words)") }
}
