/// A density whose samples are those of its base under an invertible map, so that it can be looked at as one: there and back, and its
/// log-determinants beside the map's Jacobian.
///
/// Options are for models that solve; others take their threads alone.
public protocol InvertibleFlow: DensityModel {
  /// From samples of the data, `[count][D]`, to the base and back.
  ///
  /// - Parameters:
  ///   - seed: of Hutchinson's probes, which are the same there and back.
  ///   - identifiers: `[count]`; nil: the rows' numbers.
  ///   - context: `[count][C]`, of a conditional flow; nil: none.
  ///   - scalar: what the states are made of.
  /// - Throws: the backend's error for a refused option. A sample that fails is counted.
  func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?, scalar: Scalar.Type
  ) throws -> InversionError

  /// From samples of the base to the data, as `samples` draws them, and back; parameters as above.
  func inversionErrorOfSamples<Scalar: FlowScalar>(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?, scalar: Scalar.Type
  ) throws -> InversionError

  /// Jacobians of the way from data to base at `samples`, `[count][D]`, in Double; parameters as above.
  func jacobians(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?
  ) throws -> FlowJacobians
}

extension ContinuousFlow: InvertibleFlow {}
