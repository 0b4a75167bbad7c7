/// Reading and writing npy files, NumPy's format for one array.
public enum NumPyFile {
  /// Reads the array at `path`. Versions 1 to 3, both byte orders, and C and Fortran order are accepted.
  ///
  /// - Throws: `FlowIOError.missingFile`, `.system`, `.malformed` for a damaged file, `.unsupported` for Python
  ///   objects, structured arrays and element types not in `NumPyElementType`.
  public static func read(_ path: String) throws(FlowIOError) -> NumPyArray {
    try read(bytes: FileBytes.read(path), source: path)
  }

  /// Reads the array in the bytes of a file. Error messages call the file `source`.
  public static func read(bytes: [UInt8], source: String) throws(FlowIOError) -> NumPyArray {
    let header = try NumPyHeader(bytes, source: source)
    var data = Array(bytes[header.dataOffset...])
    let width = header.elementType.byteWidth
    if header.isBigEndian, width > 1 { reverseElements(of: &data, width: width) }
    if header.isFortranOrder, header.shape.count > 1, header.count > 0 {
      data = inCOrder(data, shape: header.shape, count: header.count, width: width)
    }
    return NumPyArray(shape: header.shape, elementType: header.elementType, bytes: data)
  }

  /// Writes an npy file of version 1, with the same bytes as `numpy.save`. A file at `path` is replaced atomically (see
  /// `DurableFile`).
  ///
  /// - Throws: `FlowIOError.system`.
  public static func write(_ array: NumPyArray, to path: String) throws(FlowIOError) {
    try DurableFile.write(path, serialized(array))
  }

  /// The bytes of an npy file of version 1, little-endian, in C order.
  ///
  /// - Precondition: the shape, written as text, is shorter than 60,000 characters.
  public static func serialized(_ array: NumPyArray) -> [UInt8] {
    let order = array.elementType.byteWidth == 1 ? "|" : "<"
    let extents = array.shape.map(String.init).joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
    var header = Array(
      "{'descr': '\(order)\(array.elementType.rawValue)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    // Padding lets the elements begin at a multiple of 64. Before them come ten bytes of magic, version and length, the
    // header and a line feed.
    let unpadded = 10 + header.count + 1
    header += [UInt8](repeating: UInt8(ascii: " "), count: -unpadded & 63) + [UInt8(ascii: "\n")]
    precondition(
      header.count <= UInt16.max, "a shape of \(array.shape.count) extents does not fit the header of an npy file")

    var bytes: [UInt8] = []
    bytes.reserveCapacity(10 + header.count + array.bytes.count)
    bytes += NumPyHeader.magic + [1, 0]
    LittleEndian.append(UInt16(header.count), to: &bytes)
    return bytes + header + array.bytes
  }

  static func damaged(_ source: String, _ problem: String) -> FlowIOError {
    .malformed(
      path: source, problem: "the npy file is damaged: \(problem)",
      fix: "copy the file again, or save it again with numpy.save")
  }

  private static func reverseElements(of data: inout [UInt8], width: Int) {
    for start in stride(from: 0, to: data.count, by: width) {
      for place in 0..<width / 2 { data.swapAt(start + place, start + width - 1 - place) }
    }
  }

  /// Rearranges elements from Fortran order (the first index varies fastest) to C order (the last one does).
  ///
  /// - Precondition: no extent is 0.
  private static func inCOrder(_ data: [UInt8], shape: [Int], count: Int, width: Int) -> [UInt8] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    var result: [UInt8] = []
    result.reserveCapacity(data.count)
    var index = [Int](repeating: 0, count: shape.count)
    var element = 0
    for _ in 0..<count {
      for place in 0..<width { result.append(data[element * width + place]) }
      // Increments `index` in C order, and keeps `element` at the offset of that element in Fortran order.
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        element += strides[axis]
        if index[axis] < shape[axis] { break }
        element -= shape[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }
}
