import ContinuousFlows
import FlowBenchmarks

/// What a benchmark measures, for how long, on what.
struct BenchPlan {
  /// The parts of a benchmark. The raw values are the words of its flags and of its JSON.
  enum Section: String, CaseIterable {
    case kernels, training, scaling, backends, divergence
  }

  let sections: [Section]
  let workloads: [Workload]
  /// Whether the user chose them.
  let workloadsAreChosen: Bool
  /// Whole batches, larger layers and double as well as float.
  let isFull: Bool
  let threads: Int
  /// The instruction set of the training steps.
  let instructionSet: InstructionSet
  /// The precision of the training steps and their scaling.
  let precision: Precision
  /// The instruction sets of the kernels, the fastest last.
  let kernelInstructionSets: [InstructionSet]
  /// How long each training step is measured.
  let seconds: Double

  /// Kernels take microseconds: their median is steady after a fraction of what a training step needs.
  var kernelSeconds: Double { seconds / 10 }

  /// The workloads of `--scaling` and `--backends`: without large ones unless they are asked for.
  var comparedWorkloads: [Workload] { workloadsAreChosen || isFull ? workloads : workloads.filter { !$0.isLarge } }

  func batch(of workload: Workload) -> Int { isFull ? workload.batch : workload.quickBatch }

  /// The workloads of these names, in any case, in the order of `Workload.all`.
  static func workloads(named names: String) throws -> [Workload] {
    let asked = names.split(separator: ",", omittingEmptySubsequences: false).map { $0.uppercased() }
    let known = Workload.all.map(\.name)
    for name in asked where !known.contains(name) {
      throw CommandFailure(
        .usage, "there is no workload '\(name)': \(Suggestion.sentence(for: name, among: known))")
    }
    return Workload.all.filter { asked.contains($0.name) }
  }

  /// The precision of this name.
  static func precision(named name: String) throws -> Precision {
    if let precision = Precision(rawValue: name) { return precision }
    let fix = Suggestion.sentence(for: name, among: Precision.allCases.map(\.rawValue))
    throw CommandFailure(.usage, "there is no precision '\(name)': \(fix)")
  }

  /// The instruction set of this name.
  static func instructionSet(named name: String) throws -> InstructionSet {
    let sets = InstructionSet.allCases.filter { $0 != .automatic }
    guard let set = sets.first(where: { $0.description == name }) else {
      let fix = Suggestion.sentence(for: name, among: sets.map(\.description))
      throw CommandFailure(.usage, "there is no instruction set '\(name)': \(fix)")
    }
    guard set.isAvailable else {
      let available = Machine.availableInstructionSets.map(\.description).joined(separator: ", ")
      throw CommandFailure(.usage, "this machine does not have the instruction set '\(name)': give one of \(available)")
    }
    return set
  }
}
