extension RunFolderError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .holdsRun(let path, let file):
      "\(path) holds a run already (\(file)): resume it, or name another folder"
    case .cannotCreate(let path, let reason): "cannot make the folder \(path): \(reason)"
    case .notWritable(let path): "cannot write to the folder \(path): change its permissions, or name another folder"
    case .noCheckpoint(let path): "\(path) holds no checkpoint.safetensors: there is no run to resume"
    }
  }
}
