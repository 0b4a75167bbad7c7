import CLibrary
import FlowIO

/// The folder that a training run writes to.
///
/// ```
/// config.yaml               the resolved options, written by the command line
/// checkpoint.safetensors    the whole training state at the last checkpoint
/// best.safetensors          the flow of the best validation
/// metrics.jsonl             one line per report
/// events.out.tfevents.…     the same for TensorBoard
/// plots/
/// ```
public struct RunFolder: Sendable, Equatable {
  public let path: String

  /// A folder to read from; nothing is checked or created.
  public init(path: String) {
    self.path = path
  }

  public var configurationPath: String { "\(path)/config.yaml" }
  public var checkpointPath: String { "\(path)/checkpoint.safetensors" }
  public var bestPath: String { "\(path)/best.safetensors" }
  public var metricsPath: String { "\(path)/metrics.jsonl" }
  public var plotsPath: String { "\(path)/plots" }

  /// Creates the folder, with its parents, for a new run.
  ///
  /// - Throws: `RunFolderError.holdsRun` if it already holds a run, of which nothing is ever overwritten;
  ///   `.cannotCreate`, `.notWritable`.
  public static func create(at path: String) throws(RunFolderError) -> RunFolder {
    let folder = RunFolder(path: path.isEmpty ? "." : path)
    try folder.makeDirectories()
    if let present = folder.presentRunFile { throw .holdsRun(path: folder.path, file: present) }
    guard access(folder.path, W_OK | X_OK) == 0 else { throw .notWritable(path: folder.path) }
    return folder
  }

  /// Opens the folder of a run to resume.
  ///
  /// - Throws: `RunFolderError.noCheckpoint`, `.notWritable`.
  public static func open(at path: String) throws(RunFolderError) -> RunFolder {
    let folder = RunFolder(path: path.isEmpty ? "." : path)
    guard access(folder.checkpointPath, F_OK) == 0 else { throw .noCheckpoint(path: folder.path) }
    guard access(folder.path, W_OK | X_OK) == 0 else { throw .notWritable(path: folder.path) }
    return folder
  }

  /// Removes the temporary files that a killed process left of this run's files. Call it when no other process writes.
  public func removeAbandonedFiles() {
    for path in [configurationPath, checkpointPath, bestPath] { DurableFile.removeAbandoned(for: path) }
  }

  /// The first file of a run that exists already.
  private var presentRunFile: String? {
    ["config.yaml", "checkpoint.safetensors", "best.safetensors", "metrics.jsonl"].first {
      access("\(path)/\($0)", F_OK) == 0
    }
  }

  private func makeDirectories() throws(RunFolderError) {
    var prefix = ""
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      prefix += prefix.isEmpty && !path.hasPrefix("/") ? "\(part)" : "/\(part)"
      guard !part.isEmpty, mkdir(prefix, 0o777) != 0, errno != EEXIST else { continue }
      throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw .cannotCreate(path: path, reason: "something that is no folder has this name")
    }
  }
}
