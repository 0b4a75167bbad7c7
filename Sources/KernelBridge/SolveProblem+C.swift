import CNFKernels

extension SolveProblem {
  /// The number of samples: the length of `states` divided by `dimension`.
  func count(dimension: Int) -> Int { states.count / dimension }

  /// Stops the program if the length of an array is wrong, because C would read past its end.
  func checkShapes(program: FieldProgram, probeCount: Int) {
    let dimension = program.stateDimension
    precondition(
      parameters.count == program.parameterCount,
      "\(parameters.count) parameters do not fit a program that has \(program.parameterCount)")
    precondition(
      states.count.isMultiple(of: dimension), "\(states.count) numbers do not make states [count][\(dimension)]")
    let count = count(dimension: dimension)
    if let probes {
      precondition(
        probes.count == count * probeCount * dimension,
        "\(probes.count) numbers do not make probes [\(count)][\(probeCount)][\(dimension)]")
    }
    precondition(
      context.count == count * program.contextDimension,
      "\(context.count) numbers do not make a context [\(count)][\(program.contextDimension)]")
    if let sampleIdentifiers {
      precondition(sampleIdentifiers.count == count, "\(sampleIdentifiers.count) identifiers for \(count) samples")
    }
    for (times, name) in [(startTimes, "start"), (endTimes, "end")] {
      if let times { precondition(times.count == count, "\(times.count) \(name) times for \(count) samples") }
    }
    if let sampleOutputTimes {
      precondition(
        outputTimes.isEmpty, "a problem must not have both outputTimes (for all samples) and sampleOutputTimes")
      precondition(
        sampleOutputTimes.count == count * outputTimeCount(sampleCount: count),
        "\(sampleOutputTimes.count) output times cannot be divided evenly among \(count) samples")
    }
  }

  /// Calls `body` with this problem as a C struct. The pointers are valid during the call only.
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
              withTimesAndContext { startTimes, endTimes, times, jumpTimes, sampleTimes, context in
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
                input.jump_times = jumpTimes
                input.jump_time_count = self.jumpTimes.count
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
  /// Calls `body` with the start times and the end times of the samples, the common output times, the jump times, the
  /// output times of each sample, and the context. What the problem lacks is nil.
  private func withTimesAndContext<Result>(
    _ body: (
      UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafePointer<Double>?,
      UnsafePointer<Double>?, UnsafeRawPointer?
    ) -> Result
  ) -> Result {
    startTimes.withPointer { startTimes in
      endTimes.withPointer { endTimes in
        outputTimes.withUnsafeBufferPointer { times in
          jumpTimes.withUnsafeBufferPointer { jumpTimes in
            sampleOutputTimes.withPointer { sampleTimes in
              context.withUnsafeBytes {
                body(
                  startTimes, endTimes, times.isEmpty ? nil : times.baseAddress,
                  jumpTimes.isEmpty ? nil : jumpTimes.baseAddress, sampleTimes,
                  context.isEmpty ? nil : $0.baseAddress)
              }
            }
          }
        }
      }
    }
  }
}

extension Optional {
  /// Calls `body` with a pointer to the array's elements, or with nil if there is no array.
  func withPointer<Element, Result>(
    _ body: (UnsafePointer<Element>?) -> Result
  ) -> Result where Wrapped == [Element] {
    guard let self else { return body(nil) }
    return self.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
