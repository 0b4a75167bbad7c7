/// Memory of its own for numbers that C writes: a pointer for the call, an array after it.
///
/// `@unchecked Sendable`: one call writes it, and its caller reads it after that.
final class OutputArray<Element: BitwiseCopyable>: @unchecked Sendable {
  private let buffer: UnsafeMutableBufferPointer<Element>

  init(repeating value: Element, count: Int) {
    buffer = .allocate(capacity: count)
    buffer.initialize(repeating: value)
  }

  deinit { buffer.deallocate() }

  var array: [Element] { Array(buffer) }
  /// nil where there are none: then C computes none. Valid while this object lives.
  var pointer: UnsafeMutablePointer<Element>? { buffer.isEmpty ? nil : buffer.baseAddress }
}
