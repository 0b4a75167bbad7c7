extension FlowFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongKind(let path, let found?, let expected): "\(path) is a \(found), not a \(expected)"
    case .wrongKind(let path, nil, let expected):
      "\(path) does not name its kind, so it is not a \(expected) written by swift-cnf; "
        + "a file of weights alone can be loaded into a flow of the same shapes"
    case .metadata(let path, let key, let problem): "\(path): metadata '\(key)': \(problem)"
    case .wrongShape(let path, let tensor, let found, let expected):
      "\(path): tensor '\(tensor)' has shape \(found), the model needs \(expected)"
    case .unexpectedTensors(let path, let names):
      "\(path) holds tensors that the model does not have: \(names.joined(separator: ", "))"
    case .notFinite(let path, let tensor): "\(path): tensor '\(tensor)' holds infinities or NaN"
    case .notWritable(let problem): "no file can hold this flow: \(problem)"
    }
  }
}
