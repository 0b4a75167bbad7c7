/// The content of a safetensors file: named arrays and text.
///
/// The format: an unsigned 64-bit little-endian header size (at most 100,000,000); the header, a JSON object of
/// `name: {dtype, shape, data_offsets}` and `__metadata__`, text to text; then the data, contiguous, without holes, to
/// the end of the file. Files written here load in PyTorch (`safetensors.torch.load_file`) and the other way round.
///
/// The format itself notices about one flipped bit in a hundred, so files written here carry checksums in their
/// metadata (see `SafetensorsChecksums`) that are verified when they are read. Files without them load as well.
public struct SafetensorsFile: Equatable, Sendable {
  /// The largest header the format allows, in bytes.
  public static let largestHeader = 100_000_000

  /// In the order of their data in the file.
  public private(set) var tensors: [SafetensorsTensor]

  /// The text of `__metadata__`, without the checksums.
  public var metadata: [String: String]

  /// What messages call this file: its path, if it has been read.
  public let source: String

  /// Content to be written.
  ///
  /// - Precondition: no two tensors have the same name, and none is called `__metadata__`.
  public init(tensors: [SafetensorsTensor], metadata: [String: String] = [:], source: String = "safetensors file") {
    var names: Set<String> = ["__metadata__"]
    for tensor in tensors {
      precondition(names.insert(tensor.name).inserted, "the tensor name '\(tensor.name)' is taken")
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
  /// - Throws: `FlowIOError.missingTensor`, which says what the file does hold.
  public func tensor(named name: String) throws(FlowIOError) -> SafetensorsTensor {
    guard let tensor = self[name] else {
      throw .missingTensor(path: source, name: name, available: tensors.map(\.name))
    }
    return tensor
  }

  /// The elements of a floating-point tensor in C order, rounded to float if they are doubles.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` for integers, complex numbers and 8-bit floats.
  public func floats(named name: String) throws(FlowIOError) -> [Float] {
    let tensor = try tensor(named: name)
    guard let values = tensor.floats() else { throw wrongType(tensor, wanted: "floating-point numbers") }
    return values
  }

  /// The elements of a floating-point tensor in C order.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` for integers, complex numbers and 8-bit floats.
  public func doubles(named name: String) throws(FlowIOError) -> [Double] {
    let tensor = try tensor(named: name)
    guard let values = tensor.doubles() else { throw wrongType(tensor, wanted: "floating-point numbers") }
    return values
  }

  /// The elements of an integer tensor in C order.
  ///
  /// - Throws: `FlowIOError.missingTensor`; `.wrongElementType` for anything but integers below 2⁶³.
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
