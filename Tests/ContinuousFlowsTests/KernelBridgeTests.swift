import NeuralODE
import Testing

@Suite struct KernelBridgeTests {
  private let program = FieldProgram.multilayerPerceptron(stateDimension: 2, hidden: [4], activation: .tanh)

  @Test func methodsAreReadFromTheTable() throws {
    #expect(Set(Methods.all.map(\.name)).isSuperset(of: ["euler", "midpoint", "heun2", "rk4", "bosh3", "dopri5"]))
    #expect(try Methods.named("heun") == Methods.named("heun2") && Methods.names.contains("heun"))
    #expect(Set(Methods.names).count == Methods.names.count)
    let dopri5 = try Methods.named("dopri5")
    #expect(dopri5.order == 5 && dopri5.stages == 7 && dopri5.isFirstSameAsLast && dopri5.isAdaptive)
    #expect(dopri5.a[1][0] == 1.0 / 5 && dopri5.c[1] == 1.0 / 5)
    for method in Methods.all {
      #expect(method.a.count == method.stages && method.a.allSatisfy { $0.count == method.stages })
      #expect(method.e.count == (method.embeddedOrder == 0 ? 0 : method.stages), "\(method.name)")
    }
  }

  @Test(arguments: [("dopri", ["dopri5", "dopri8"]), ("RK4", ["rk4"]), ("rk45", ["rk4"]), ("huen", ["heun"])])
  func unknownMethodsGetSuggestions(name: String, like: [String]) {
    let error = #expect(throws: KernelError.self) { try Methods.named(name) }
    guard case .unknownMethod(name, let suggestions, _) = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
    #expect(Set(suggestions).isSuperset(of: like))
  }

  @Test func controllersHaveWords() {
    #expect(StepController("integral") == .integral && StepController("proportional-integral") == .proportionalIntegral)
    #expect(StepController("pid:0.3,0.4,-0.1") == .pid(0.3, 0.4, -0.1))
    for controller in [StepController.integral, .proportionalIntegral, .pid(0.3, 0.4, 0.1)] {
      #expect(StepController(controller.description) == controller)
    }
    for word in [
      "", "pi", "pid", "pid:", "pid:1,2", "pid:1,2,x", "pid:1,0,1", "pid:1,2,3,4", "pid:1,,3", "pid:inf,1,0",
    ] {
      #expect(StepController(word) == nil, "\(word)")
    }
  }

  @Test func refusedOptionsAreNamed() {
    func refuses(_ change: (inout SolverOptions) -> Void) -> String {
      var options = SolverOptions()
      change(&options)
      let error = #expect(throws: KernelError.self) { try KernelSolver<Float>(program: program, options: options) }
      return error?.description ?? ""
    }
    #expect(refuses { $0.control = .perSample(rtol: -1, atol: 1e-5) }.contains("rtol: -1"))
    #expect(refuses { $0.control = .perSample(rtol: .nan, atol: 1e-5) }.contains("tolerances"))
    #expect(refuses { $0.control = .fixed(steps: 0) }.contains("steps is 0"))
    #expect(refuses { $0.method = "rk4" }.contains("rk4"))
    #expect(refuses { $0.relativeTolerances = [1e-3] }.contains("relativeTolerances is [0.001], must be one number"))
    #expect(refuses { $0.absoluteTolerances = [1e-3, -1] }.contains("tolerances"))
    #expect(refuses { $0.stepController.integral = 0 }.contains("stepController.integral is 0.0"))
    #expect(refuses { $0.stepController.safety = 0 }.contains("stepController.safety is 0.0"))
    #expect(refuses { $0.stepController.safety = 1 }.contains("out of its range"))
    #expect(refuses { $0.maximumStep = 0 }.contains("maximumStep is 0.0"))
    #expect(refuses { $0.maximumSteps = 0 }.contains("maximumSteps is 0"))
    #expect(refuses { $0.probeCount = -1 }.contains("probeCount is -1"))
    #expect(refuses { $0.threads = 0 }.contains("threads is 0"))
  }

  @Test func solversSayWhatTheyAre() throws {
    let solver = try KernelSolver<Double>(program: program, options: SolverOptions(threads: 2), isa: .generic)
    #expect(solver.instructionSet == .generic && solver.threadCount == 2)
    #expect(solver.laneCount >= 1 && solver.bytes > 0)
    #expect(solver.resolvedTrace == .exactProduct || solver.resolvedTrace == .exactTangents)
    #expect(Machine.availableInstructionSets.contains(.generic))
    #expect(!Machine.kernelVersion.isEmpty && Machine.threadCount >= 1)
    #expect(Machine.blasConfiguration.contains("OpenBLAS"))
  }

  @Test func stepFractionsRepeatTheSteps() throws {
    let parameters = InitialParameters.uniform(for: program, seed: 3).map(Double.init)
    let adaptive = try KernelSolver<Double>(program: program)
    var problem = SolveProblem<Double>(parameters: parameters, states: [0.3, -1], from: 0, to: 2)
    let expected = try adaptive.solve(problem)
    let fractions = try adaptive.acceptedStepFractions(problem)[0]
    #expect(fractions.first == 0 && fractions.last == 1 && fractions.count == expected.acceptedSteps[0] + 1)
    problem.stepFractions = fractions
    let fixed = try KernelSolver<Double>(
      program: program, options: SolverOptions(control: .fixed(steps: fractions.count - 1)))
    // The lengths of the steps are rounded again.
    for (found, state) in zip(try fixed.solve(problem).states, expected.states) { #expect(abs(found - state) < 1e-13) }
  }

  @Test func bothLanguagesDrawTheSameNumbers() throws {
    let source = RandomSource(seed: 0x0123_4567_89AB_CDEF, stream: .data, step: 1 << 40 + 3)
    let first: UInt64 = 1 << 33
    let normal = try KernelRandom.normal(Double.self, source: source, first: first, count: 3, dimension: 7)
    let uniform = try KernelRandom.uniform(Double.self, source: source, first: first, count: 3, dimension: 7)
    let signs = try KernelRandom.rademacher(Float.self, source: source, first: first, count: 3, dimension: 7)
    for index in 0..<21 {
      let (sample, dimension) = (first + UInt64(index / 7), index % 7)
      #expect(uniform[index] == source.uniform(sample: sample, dimension: dimension))
      #expect(signs[index] == Float(source.rademacher(sample: sample, dimension: dimension)))
      let expected = source.normal(sample: sample, dimension: dimension)
      // Both use log, sin and cos of the same library, so they agree up to the last place.
      #expect(abs(normal[index] - expected) <= 2 * expected.ulp)
    }
    let counter = SIMD4<UInt32>(1, 2, 3, 4)
    #expect(KernelRandom.philox(counter: counter, key: [5, 6]) == Philox.block(counter: counter, key: [5, 6]))
  }
}
