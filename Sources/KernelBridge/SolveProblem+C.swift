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
    precondition(
      context.count == count * program.contextDimension,
      "\(context.count) numbers for a context [\(count)][\(program.contextDimension)]")
    if let sampleIdentifiers {
      precondition(sampleIdentifiers.count == count, "\(sampleIdentifiers.count) identifiers for \(count) samples")
    }
    for (times, name) in [(startTimes, "start"), (endTimes, "end")] {
      if let times { precondition(times.count == count, "\(times.count) \(name) times for \(count) samples") }
    }
    if let sampleOutputTimes {
      precondition(outputTimes.isEmpty, "output times common to all samples, and each one's own")
      precondition(
        sampleOutputTimes.count == count * outputTimeCount(sampleCount: count),
        "\(sampleOutputTimes.count) output times are not as many for each of \(count) samples")
    }
  }

  /// Calls `body` with this problem as C reads it; the pointers live as long as the call.
  func withC<Result>(dimension: Int, _ body: (UnsafePointer<cnf_solve_input>) -> Result) -> Result {
    let contexts = events.map { TypedEventContext($0, dimension: dimension) }
    return withExtendedLifetime(contexts) {
      contexts.map(\.c).withUnsafeBufferPointer { events in withC(dimension: dimension, events: events, body) }
    }
  }

  private func withC<Result>(
    dimension: Int, events: UnsafeBufferPointer<cnf_event>, _ body: (UnsafePointer<cnf_solve_input>) -> Result
  ) -> Result {
    parameters.withUnsafeBytes { parameterBytes in
      states.withUnsafeBytes { stateBytes in
        probes.withPointer { probePointer in
          sampleIdentifiers.withPointer { identifierPointer in
            stepFractions.withPointer { fractionPointer in
              withTimesAndContext { startTimes, endTimes, times, sampleTimes, context in
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
                input.times = times
                input.time_count = outputTimeCount(sampleCount: input.count)
                input.t0s = startTimes
                input.t1s = endTimes
                input.sample_times = sampleTimes
                input.events = events.baseAddress
                input.event_count = events.count
                input.context = context
                input.dropout_active = dropoutIsActive ? 1 : 0
                return body(&input)
              }
            }
          }
        }
      }
    }
  }
}

extension SolveProblem {
  /// Calls `body` with the samples' own start and end times, the common output times, the samples' own, and the context.
  private func withTimesAndContext<Result>(
    _ body: (
      UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafeRawPointer?
    ) -> Result
  ) -> Result {
    startTimes.withPointer { startTimes in
      endTimes.withPointer { endTimes in
        outputTimes.withUnsafeBufferPointer { times in
          sampleOutputTimes.withPointer { sampleTimes in
            context.withUnsafeBytes {
              body(
                startTimes, endTimes, times.isEmpty ? nil : times.baseAddress, sampleTimes,
                context.isEmpty ? nil : $0.baseAddress)
            }
          }
        }
      }
    }
  }
}

extension Optional {
  /// Calls `body` with the array's storage, or with nil for nil.
  func withPointer<Element, Result>(
    _ body: (UnsafePointer<Element>?) -> Result
  ) -> Result where Wrapped == [Element] {
    guard let self else { return body(nil) }
    return self.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
