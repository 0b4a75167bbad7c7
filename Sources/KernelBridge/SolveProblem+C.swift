import CNFKernels

extension SolveProblem {
  /// `[count]`, by the length of `states`.
  func count(dimension: Int) -> Int { states.count / dimension }

  /// Shapes that do not fit are a programmer's error: C would read past an array's end.
  func checkShapes(program: FieldProgram, probeCount: Int) {
    let dimension = program.stateDimension
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters for a program that has \(program.parameterCount)")
    precondition(
      states.count.isMultiple(of: dimension), "\(states.count) numbers are no states [count][\(dimension)]")
    let count = count(dimension: dimension)
    if let probes {
      precondition(
        probes.count == count * probeCount * dimension,
        "\(probes.count) numbers for probes [\(count)][\(probeCount)][\(dimension)]")
    }
    if let sampleIdentifiers {
      precondition(sampleIdentifiers.count == count, "\(sampleIdentifiers.count) identifiers for \(count) samples")
    }
  }

  /// Calls `body` with this problem as C reads it; the pointers live as long as the call.
  func withC<Result>(dimension: Int, _ body: (UnsafePointer<cnf_solve_input>) -> Result) -> Result {
    parameters.withUnsafeBytes { parameterBytes in
      states.withUnsafeBytes { stateBytes in
        probes.withPointer { probePointer in
          sampleIdentifiers.withPointer { identifierPointer in
            stepFractions.withPointer { fractionPointer in
              outputTimes.withUnsafeBufferPointer { times in
                var input = cnf_solve_input()
                input.struct_size = MemoryLayout<cnf_solve_input>.size
                input.parameters = parameterBytes.baseAddress
                input.x0 = stateBytes.baseAddress
                input.count = count(dimension: dimension)
                input.t0 = startTime
                input.t1 = endTime
                input.probes = probePointer.map { UnsafeRawPointer($0) }
                input.seed = seed
                input.step = step
                input.sample_ids = identifierPointer
                input.step_fractions = fractionPointer
                input.step_fraction_count = stepFractions?.count ?? 0
                input.times = times.baseAddress
                input.time_count = times.count
                return body(&input)
              }
            }
          }
        }
      }
    }
  }
}

extension Optional {
  /// Calls `body` with the array's storage, or with nil for nil.
  fileprivate func withPointer<Element, Result>(
    _ body: (UnsafePointer<Element>?) -> Result
  ) -> Result where Wrapped == [Element] {
    guard let self else { return body(nil) }
    return self.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
