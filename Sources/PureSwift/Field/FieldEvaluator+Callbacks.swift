import FieldPrograms

// Callbacks among the operations. Their functions are checked when the solver is created or the gradient is asked for:
// PureSwiftSolver+Checks.swift.

extension FieldEvaluator {
  /// Computes y = g(x, t), and stores t on the tape.
  func callbackValue(_ number: Int, _ tape: FieldTape<V>) {
    let step = plan.steps[number]
    let layout = plan.callbacks[step.layer]
    guard let functions = layout.callback.functions(V.Scalar.self) else { return }
    for lane in 0..<times.count { tape.times[lane] = times[lane] }
    tape.times.withSpan(at: 0, count: tape.times.count) { t in
      tape.values[step.first].withSpan { x in
        weights.withParameters(of: layout) { parameters in
          tape.values[number + 1].withMutableSpan { functions.evaluate(t.count, t, x, parameters, &$0) }
        }
      }
    }
  }

  /// Computes ẏ = J ẋ; the tangent of a callback that does not read the state stays zero.
  func callbackTangent(_ number: Int, _ tape: FieldTape<V>) {
    let step = plan.steps[number]
    let layout = plan.callbacks[step.layer]
    guard plan.dependsOnState[number + 1], let tangent = layout.callback.functions(V.Scalar.self)?.tangent else {
      return
    }
    tape.times.withSpan(at: 0, count: tape.times.count) { t in
      tape.values[step.first].withSpan { x in
        panels.tangents[step.first].withSpan { xDot in
          weights.withParameters(of: layout) { parameters in
            panels.tangents[number + 1].withMutableSpan { tangent(t.count, t, x, parameters, xDot, &$0) }
          }
        }
      }
    }
  }

  /// Reverse of `callbackTangent` for the present direction: leaves its additions to x̄ and t̄ in `held`, and returns
  /// ẋ̄.
  func reverseCallbackTangent(
    _ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>
  ) -> Panel<V> {
    let step = plan.steps[number]
    let layout = plan.callbacks[step.layer]
    let (value, time) = callbackBars(layout, bars)
    let tangentBar = bars.callback.tangent.rows(from: 0, count: layout.columns)
    tangentBar.fill(V(0))
    guard let reverse = layout.callback.functions(V.Scalar.self)?.tangentReverse else { return tangentBar }
    tape.times.withSpan(at: 0, count: tape.times.count) { t in
      tape.values[step.first].withSpan { x in
        weights.withParameters(of: layout) { parameters in
          panels.tangents[step.first].withSpan { xDot in
            bars.tangents[number + 1].withSpan { yDotBar in
              value.withMutableSpan { xBar in
                tangentBar.withMutableSpan { xDotBar in
                  time.withMutableSpan { tBar in
                    sums.callback(step.layer).withMutableSpan(count: layout.callback.parameterCount) {
                      reverse(t.count, t, x, parameters, xDot, yDotBar, &xBar, &xDotBar, &tBar, &$0)
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    bars.held[step.layer].add(bars.callback.valueAndTime.rows(from: 0, count: layout.columns + 1))
    return tangentBar
  }

  /// Reverse of `callbackValue`: adds to the input's cotangent and to `callbackTimes`, including `held` if the
  /// divergence contributes.
  func reverseCallbackValue(
    _ number: Int, _ tape: FieldTape<V>, _ bars: CotangentPanels<V>, _ sums: GradientSums<V>, hasCurvatureTerms: Bool
  ) {
    let step = plan.steps[number]
    let layout = plan.callbacks[step.layer]
    let (value, time) = callbackBars(layout, bars)
    guard let reverse = layout.callback.functions(V.Scalar.self)?.reverse else { return }
    tape.times.withSpan(at: 0, count: tape.times.count) { t in
      tape.values[step.first].withSpan { x in
        weights.withParameters(of: layout) { parameters in
          bars.values[number + 1].withSpan { yBar in
            value.withMutableSpan { xBar in
              time.withMutableSpan { tBar in
                sums.callback(step.layer).withMutableSpan(count: layout.callback.parameterCount) {
                  reverse(t.count, t, x, parameters, yBar, &xBar, &tBar, &$0)
                }
              }
            }
          }
        }
      }
    }
    if hasCurvatureTerms {
      bars.callback.valueAndTime.rows(from: 0, count: layout.columns + 1).add(bars.held[step.layer])
    }
    bars.values[step.first].add(value)
    bars.callbackTimes.add(time)
  }

  /// x̄ and t̄ of one callback, zeroed, in the layout of `held`.
  private func callbackBars(
    _ layout: FieldProgram.CallbackLayout, _ bars: CotangentPanels<V>
  ) -> (value: Panel<V>, time: Panel<V>) {
    let both = bars.callback.valueAndTime.rows(from: 0, count: layout.columns + 1)
    both.fill(V(0))
    return (both.rows(from: 0, count: layout.columns), both.rows(from: layout.columns, count: 1))
  }
}
