/// What `repr` of Python writes into the header of an npy file.
enum PythonLiteral: Sendable {
  case boolean(Bool)
  case integer(Int)
  case string(String)
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([(key: String, value: PythonLiteral)])
}
