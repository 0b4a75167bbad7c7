/// A density given by an invertible map between base and data, so that the map itself can be checked: its error after a
/// round trip, and its log-determinants against its Jacobian.
///
/// Models that solve nothing use only the number of threads from the options.
public protocol InvertibleFlow: DensityModel {
  /// The error of a round trip from samples of the data, `[count][D]`, to the base and back.
  ///
  /// - Parameters:
  ///   - seed: the seed of Hutchinson's probes, which are the same in both directions.
  ///   - identifiers: `[count]`; nil means the row numbers.
  ///   - context: `[count][C]`, for a conditional flow; nil means none.
  ///   - scalar: the type of the states, `Float` or `Double`.
  /// - Throws: the backend's error for a refused option. A sample whose solve fails is counted as failed.
  func inversionError<Scalar: FlowScalar>(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?, scalar: Scalar.Type
  ) throws -> InversionError

  /// The error of a round trip from samples of the base, as `samples` draws them, to the data and back; parameters as
  /// above.
  func inversionErrorOfSamples<Scalar: FlowScalar>(
    count: Int, seed: UInt64, options: SolverOptions, backend: Backend, context: SampleMatrix?, scalar: Scalar.Type
  ) throws -> InversionError

  /// Jacobians of the map from data to base at `samples`, `[count][D]`, in Double; parameters as above.
  func jacobians(
    of samples: SampleMatrix, options: SolverOptions, backend: Backend, seed: UInt64, identifiers: [UInt64]?,
    context: SampleMatrix?
  ) throws -> FlowJacobians
}

extension ContinuousFlow: InvertibleFlow {}
