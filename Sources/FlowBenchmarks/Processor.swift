import CLibrary
import NeuralODE

/// The processor that benchmarks ran on.
public enum Processor {
  /// Its model as Linux has it, such as "AMD EPYC 7763"; nil where Linux does not say.
  public static let model: String? = {
    guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
      let parts = String(cString: line).split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].hasPrefix("model name") else { continue }
      return parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    return nil
  }()

  /// How many there are.
  public static var count: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Threads that wanted to run, a mean over the last minute; nil where the system does not say.
  public static var loadAverage: Double? {
    var average = 0.0
    return getloadavg(&average, 1) == 1 ? average : nil
  }
}
