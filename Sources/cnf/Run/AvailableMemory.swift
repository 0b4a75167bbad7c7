import CLibrary
import Foundation

/// The memory that this process can still get.
enum AvailableMemory {
  /// In bytes: the least of the machine's free memory, what the limits of the control groups (version 1 and 2) leave,
  /// and what the limit of address space leaves (`ulimit -v`).
  static var bytes: Int {
    ([machine, addressSpace] + groups).compactMap { $0 }.min() ?? .max
  }

  /// Throws a failure if `needed` bytes are more than that.
  ///
  /// - Parameters:
  ///   - what: what needs them, the begin of the sentence.
  ///   - fix: what to give instead.
  static func check(_ needed: Int, for what: String, fix: String) throws {
    let available = bytes
    guard needed > available else { return }
    throw CommandFailure(
      .usage,
      "\(what) needs about \(Format.memory(needed)) of memory, and \(Format.memory(available)) are available: \(fix)")
  }

  /// `MemAvailable` of the kernel: without swapping.
  private static var machine: Int? {
    guard let text = text(of: "/proc/meminfo") else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  private static var addressSpace: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else {
      return nil
    }
    let pages = text(of: "/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return max(0, Int(limit.rlim_cur) - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// Of this process's group and of each group around it.
  private static var groups: [Int] {
    guard let text = text(of: "/proc/self/cgroup") else { return [] }
    return text.split(separator: "\n").flatMap { line -> [Int] in
      // "0::/path" for version 2, "4:memory:/path" for the memory controller of version 1.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let isSecond = parts[0] == "0" && parts[1].isEmpty
      guard isSecond || parts[1].split(separator: ",").contains("memory") else { return [] }
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let names =
        isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      var path = String(parts[2])
      var found: [Int] = []
      while true {
        let folder = root + (path == "/" ? "" : path)
        if let limit = number(of: "\(folder)/\(names.0)"), let used = number(of: "\(folder)/\(names.1)") {
          found.append(max(0, limit - used))
        }
        guard path.count > 1, let slash = path.lastIndex(of: "/") else { return found }
        path = slash == path.startIndex ? "/" : String(path[..<slash])
      }
    }
  }

  /// The number that is the file's whole text; nil for others, such as "max".
  private static func number(of path: String) -> Int? {
    text(of: path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private static func text(of path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
