/// A Python literal in the header of an npy file, as Python's `repr` writes it.
enum PythonLiteral: Sendable {
  case boolean(Bool)
  case integer(Int)
  case string(String)
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([(key: String, value: PythonLiteral)])
}
