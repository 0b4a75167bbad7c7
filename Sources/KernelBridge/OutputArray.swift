/// Memory that C writes numbers to: a pointer during the call, an array after it.
///
/// It is `@unchecked Sendable` because one call writes it, and the caller reads it only afterwards.
final class OutputArray<Element: BitwiseCopyable>: @unchecked Sendable {
  private let buffer: UnsafeMutableBufferPointer<Element>

  init(repeating value: Element, count: Int) {
    buffer = .allocate(capacity: count)
    buffer.initialize(repeating: value)
  }

  deinit { buffer.deallocate() }

  var array: [Element] { Array(buffer) }
  /// Nil if the array is empty: C then does not compute these results. The pointer is valid while this object lives.
  var pointer: UnsafeMutablePointer<Element>? { buffer.isEmpty ? nil : buffer.baseAddress }
}
