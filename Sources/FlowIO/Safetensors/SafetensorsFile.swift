/// The content of a safetensors file: named arrays and text metadata.
///
/// The format has three parts. First the size of the header: an unsigned 64-bit little-endian integer, at most
/// 100,000,000. Then the header: a JSON object with `name: {dtype, shape, data_offsets}` for each tensor and
/// `__metadata__`, which maps text to text. Then the data of the tensors, without gaps, to the end of the file. Files
/// written here load in PyTorch (`safetensors.torch.load_file`), and files written there load here.
///
/// The format by itself detects about one flipped bit in a hundred. So files written here have checksums in their
/// metadata (see `SafetensorsChecksums`), which are verified when the file is read. Files without checksums load too.
public struct SafetensorsFile: Equatable, Sendable {
  /// The largest header the format allows, in bytes.
  public static let largestHeader = 100_000_000

  /// The tensors, in the order of their data in the file.
  public private(set) var tensors: [SafetensorsTensor]

  /// The text of `__metadata__`, without the checksums.
  public var metadata: [String: String]

  /// The name of this file in error messages: its path, if it was read from one.
  public let source: String

  /// The content of a new file.
  ///
  /// - Precondition: no two tensors have the same name, and none is called `__metadata__`.
  public init(tensors: [SafetensorsTensor], metadata: [String: String] = [:], source: String = "safetensors file") {
    var names: Set<String> = ["__metadata__"]
    for tensor in tensors {
      precondition(
        names.insert(tensor.name).inserted, "the tensor name '\(tensor.name)' is reserved or used by two tensors")
    }
    self.tensors = tensors
    self.metadata = metadata
    self.source = source
  }

  /// The tensor called `name`, or nil.
  public subscript(name: String) -> SafetensorsTensor? {
    tensors.first { $0.name == name }
  }

  /// The tensor called `name`.
  ///
  /// - Throws: `FlowIOError.missingTensor`, which lists the tensors that the file has.
  public func tensor(named name: String) throws(FlowIOError) -> SafetensorsTensor {
    guard let tensor = self[name] else {
      throw .missingTensor(path: source, name: name, available: tensors.map(\.name))
    }
    return tensor
  }

  /// The elements of a floating-point tensor in C order as floats. Doubles are rounded.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` for integers, complex numbers and 8-bit floats.
  public func floats(named name: String) throws(FlowIOError) -> [Float] {
    let tensor = try tensor(named: name)
    guard let values = tensor.floats() else { throw wrongType(tensor, wanted: "floating-point numbers") }
    return values
  }

  /// The elements of a floating-point tensor in C order as doubles.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` for integers, complex numbers and 8-bit floats.
  public func doubles(named name: String) throws(FlowIOError) -> [Double] {
    let tensor = try tensor(named: name)
    guard let values = tensor.doubles() else { throw wrongType(tensor, wanted: "floating-point numbers") }
    return values
  }

  /// The elements of an integer tensor in C order.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` if an element is not an integer below 2⁶³.
  public func integers(named name: String) throws(FlowIOError) -> [Int] {
    let tensor = try tensor(named: name)
    guard let values = tensor.integers() else { throw wrongType(tensor, wanted: "64-bit signed integers") }
    return values
  }

  private func wrongType(_ tensor: SafetensorsTensor, wanted: String) -> FlowIOError {
    .wrongElementType(
      path: source, name: "tensor '\(tensor.name)'", found: tensor.elementType.rawValue, wanted: wanted)
  }
}
