import ContinuousFlows
import Testing

/// Properties of a model that are set later: they make the model that `init` makes of the same values, and shapes that
/// do not fit end the process.
@Suite struct ModelPropertiesTests {
  private static let transform = DataTransform(shift: [0.5, -1], scale: [2, 0.25])
  private static let base = BaseDistribution.gaussian(mean: [1, 0], deviation: [0.5, 2])

  @Test func stackedFlows() {
    func flow(endTime: Double = 1, transform: DataTransform? = nil) -> StackedFlow {
      StackedFlow(
        dimension: 2, blocks: 2, architecture: FieldArchitecture(hidden: [3], activation: .tanh), endTime: endTime,
        seed: 1,
        transform: transform)
    }
    var changed = flow()
    changed.endTime = 1.5
    #expect(changed == flow(endTime: 1.5) && changed != flow())
    changed.transform = Self.transform
    #expect(changed == flow(endTime: 1.5, transform: Self.transform))
  }

  @Test func continuousFlows() {
    var program = FieldProgram(stateDimension: 2)
    let context = program.append(.context(rows: 2))
    program.append(.linear(input: context, rows: 2, activation: .identity))
    let classes = ContextKind.classes(probabilities: [0.25, 0.75])
    var changed = ContinuousFlow(program: program, parameters: [1, 2, 3, 4, 5, 6])
    changed.contextKind = classes
    #expect(changed == ContinuousFlow(program: program, parameters: [1, 2, 3, 4, 5, 6], contextKind: classes))
    changed.parameters[0] = 7
    #expect(changed == ContinuousFlow(program: program, parameters: [7, 2, 3, 4, 5, 6], contextKind: classes))
  }

  @Test func discreteFlows() {
    let parameters: [Float] = [2, 0, 0, 3, 1, -1]
    var affine = AffineFlow(permutation: [1, 0], parameters: parameters)
    (affine.transform, affine.base) = (Self.transform, Self.base)
    let whole = AffineFlow(
      permutation: [1, 0], parameters: parameters, transform: Self.transform, base: Self.base)
    #expect(affine == whole)
    var linear = LinearFlow(dimension: 2)
    (linear.parameters, linear.transform, linear.base) = (parameters, Self.transform, Self.base)
    #expect(
      linear == LinearFlow(dimension: 2, parameters: parameters, transform: Self.transform, base: Self.base))
    var coupling = CouplingFlow(dimension: 2, depth: 2, hidden: [3], seed: 1)
    (coupling.transform, coupling.base) = (Self.transform, Self.base)
    #expect(
      coupling
        == CouplingFlow(dimension: 2, depth: 2, hidden: [3], seed: 1, transform: Self.transform, base: Self.base))
  }

  @Test func otherModels() {
    func classifier(_ transform: DataTransform?) -> NeuralODEModel {
      NeuralODEModel(classes: 2, dimension: 2, hidden: [3], seed: 1, transform: transform)
    }
    var model = classifier(nil)
    model.transform = Self.transform
    #expect(model == classifier(Self.transform) && model != classifier(nil))
    func diffusion(_ transform: DataTransform?) -> DiffusionModel {
      DiffusionModel(
        dimension: 2, architecture: FieldArchitecture(hidden: [3], activation: .tanh), seed: 1, transform: transform)
    }
    var process = diffusion(nil)
    process.transform = Self.transform
    #expect(process == diffusion(Self.transform) && process != diffusion(nil))
  }

  @Test func aTransformOfOtherColumnsEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var flow = StackedFlow(dimension: 2, blocks: 2, architecture: FieldArchitecture(hidden: [3], activation: .tanh))
      flow.transform = .identity(dimension: 3)
    }
  }

  @Test func aNegativeEndTimeEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var flow = StackedFlow(dimension: 2, blocks: 2, architecture: FieldArchitecture(hidden: [3], activation: .tanh))
      flow.endTime = -1
    }
  }

  @Test func aContextOfOtherColumnsEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var flow = ContinuousFlow(dimension: 2, hidden: [3])
      flow.contextKind = .classes(probabilities: [0.5, 0.5])
    }
  }
}
