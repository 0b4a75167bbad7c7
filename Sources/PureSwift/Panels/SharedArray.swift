import FieldPrograms

/// A fixed-length array that several workers fill at the same time, each its own entries.
///
/// `@unchecked Sendable`: its users split a batch by samples, so no two workers touch the same entry.
final class SharedArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  private let buffer: UnsafeMutableBufferPointer<Element>

  init(repeating value: Element, count: Int) {
    buffer = .allocate(capacity: count)
    buffer.initialize(repeating: value)
  }

  init(_ elements: [Element]) {
    buffer = .allocate(capacity: elements.count)
    _ = buffer.initialize(from: elements)
  }

  deinit { buffer.deallocate() }

  var count: Int { buffer.count }
  var array: [Element] { Array(buffer) }

  @inline(__always)
  subscript(index: Int) -> Element {
    get { buffer[index] }
    set { buffer[index] = newValue }
  }
}

extension SharedArray where Element: FlowScalar {
  /// Calls `body` with `count` scalars from `offset` on.
  func withSpan<Result>(at offset: Int, count: Int, _ body: (Span<Element>) -> Result) -> Result {
    precondition(
      offset >= 0 && count >= 0 && offset + count <= self.count, "\(count) scalars from \(offset) of \(self.count)")
    return body(UnsafeBufferPointer(rebasing: buffer[offset..<offset + count]).span)
  }

  /// `rows × columns` scalars from `offset` on, row-major.
  func matrix(at offset: Int, rows: Int, columns: Int) -> MatrixView<Element> {
    precondition(
      offset >= 0 && offset + rows * columns <= count, "\(rows) × \(columns) scalars from \(offset) of \(count)")
    guard rows * columns > 0, let base = buffer.baseAddress else {
      preconditionFailure("an empty matrix")
    }
    return MatrixView(rows: rows, columns: columns, base: base + offset)
  }
}
