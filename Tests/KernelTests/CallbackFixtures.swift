import Foundation
import NeuralODE

/// The callbacks of the tests in this folder.
enum Callbacks {
  /// A dense layer `tanh(W x + w t + b)` with the parameters `[W w]` `[rows][columns + 1]`, then b: the same as
  /// `.linear` of the concatenation of x and t.
  static func tanhLayer(rows: Int, columns: Int) -> FieldCallback {
    /// z of one row and lane.
    @Sendable func sum(_ r: Int, _ j: Int, _ lanes: Int, _ t: Span<Double>, _ x: Span<Double>, _ w: Span<Double>)
      -> Double
    {
      var z = w[rows * (columns + 1) + r] + w[r * (columns + 1) + columns] * t[j]
      for c in 0..<columns { z += w[r * (columns + 1) + c] * x[c * lanes + j] }
      return z
    }
    /// W ẋ of one row and lane.
    @Sendable func sumDot(_ r: Int, _ j: Int, _ lanes: Int, _ xDot: Span<Double>, _ w: Span<Double>) -> Double {
      (0..<columns).reduce(0) { $0 + w[r * (columns + 1) + $1] * xDot[$1 * lanes + j] }
    }
    /// Adds the cotangents of x, t and the parameters that follow from z̄ of one row and lane.
    @Sendable func addCotangents(
      _ zBar: Double, _ r: Int, _ j: Int, _ lanes: Int, _ t: Span<Double>, _ x: Span<Double>, _ w: Span<Double>,
      _ xBar: inout MutableSpan<Double>, _ tBar: inout MutableSpan<Double>, _ wBar: inout MutableSpan<Double>
    ) {
      for c in 0..<columns {
        xBar[c * lanes + j] += w[r * (columns + 1) + c] * zBar
        wBar[r * (columns + 1) + c] += zBar * x[c * lanes + j]
      }
      tBar[j] += w[r * (columns + 1) + columns] * zBar
      wBar[r * (columns + 1) + columns] += zBar * t[j]
      wBar[rows * (columns + 1) + r] += zBar
    }
    return FieldCallback(
      name: "tanh layer", parameterCount: rows * (columns + 2),
      double: .init(
        evaluate: { lanes, t, x, w, y in
          for r in 0..<rows { for j in 0..<lanes { y[r * lanes + j] = tanh(sum(r, j, lanes, t, x, w)) } }
        },
        tangent: { lanes, t, x, w, xDot, yDot in
          for r in 0..<rows {
            for j in 0..<lanes {
              let y = tanh(sum(r, j, lanes, t, x, w))
              yDot[r * lanes + j] = (1 - y * y) * sumDot(r, j, lanes, xDot, w)
            }
          }
        },
        reverse: { lanes, t, x, w, yBar, xBar, tBar, wBar in
          for r in 0..<rows {
            for j in 0..<lanes {
              let y = tanh(sum(r, j, lanes, t, x, w))
              addCotangents((1 - y * y) * yBar[r * lanes + j], r, j, lanes, t, x, w, &xBar, &tBar, &wBar)
            }
          }
        },
        tangentReverse: { lanes, t, x, w, xDot, yDotBar, xBar, xDotBar, tBar, wBar in
          for r in 0..<rows {
            for j in 0..<lanes {
              let y = tanh(sum(r, j, lanes, t, x, w))
              let (slope, bar) = (1 - y * y, yDotBar[r * lanes + j])
              addCotangents(
                bar * -2 * y * slope * sumDot(r, j, lanes, xDot, w), r, j, lanes, t, x, w, &xBar, &tBar, &wBar)
              for c in 0..<columns {
                xDotBar[c * lanes + j] += w[r * (columns + 1) + c] * slope * bar
                wBar[r * (columns + 1) + c] += slope * bar * xDot[c * lanes + j]
              }
            }
          }
        }))
  }

  /// A tanh layer of `[x, t]`, a linear layer, and a residual connection. The tanh layer is built-in operations or a
  /// callback.
  static func residualNet(dimension: Int, width: Int, asCallback: Bool) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    let entry = program.append(.linear(input: .state, rows: dimension, activation: .identity))
    let hidden: FieldProgram.Block
    if asCallback {
      hidden = program.append(.callback(input: entry, rows: width, tanhLayer(rows: width, columns: dimension)))
    } else {
      let time = program.append(.time)
      let both = program.append(.concatenate(entry, time))
      hidden = program.append(.linear(input: both, rows: width, activation: .tanh))
    }
    let out = program.append(.linear(input: hidden, rows: dimension, activation: .identity))
    program.append(.add(out, .state))
    return program
  }

  /// `x' = 1 − t²/2` in the first row and 0 in the second. It is NaN from t = 0.5 on for samples whose second row is
  /// above 1.
  static let failing = FieldCallback(
    name: "failing",
    double: .init { lanes, t, x, _, y in
      for j in 0..<lanes {
        y[j] = x[lanes + j] > 1 && t[j] > 0.5 ? .nan : 1 - t[j] * t[j] / 2
        y[lanes + j] = 0
      }
    })

  /// `y′ = y²` for each row, with derivatives.
  static let square = FieldCallback(
    name: "square",
    double: .init(
      evaluate: { _, _, x, _, y in for i in 0..<x.count { y[i] = x[i] * x[i] } },
      tangent: { _, _, x, _, xDot, yDot in for i in 0..<x.count { yDot[i] = 2 * x[i] * xDot[i] } },
      reverse: { _, _, x, _, yBar, xBar, _, _ in for i in 0..<x.count { xBar[i] = 2 * x[i] * yBar[i] } },
      tangentReverse: { _, _, x, _, xDot, yDotBar, xBar, xDotBar, _, _ in
        for i in 0..<x.count {
          xBar[i] = 2 * xDot[i] * yDotBar[i]
          xDotBar[i] = 2 * x[i] * yDotBar[i]
        }
      }))

  /// Which functions of `breaking` give NaN.
  enum Breaking { case everything, reverses }

  /// `x′ = t − θx` in the first row and 0 in the second, with derivatives. The functions in question are NaN from t =
  /// 0.5 on for samples whose second row is above 1.
  static func breaking(_ breaking: Breaking) -> FieldCallback {
    @Sendable func isBroken(_ j: Int, _ lanes: Int, _ t: Span<Double>, _ x: Span<Double>) -> Bool {
      x[lanes + j] > 1 && t[j] > 0.5
    }
    let breaksValues = breaking == .everything
    return FieldCallback(
      name: "breaking", parameterCount: 1,
      double: .init(
        evaluate: { lanes, t, x, theta, y in
          for j in 0..<lanes {
            y[j] = breaksValues && isBroken(j, lanes, t, x) ? .nan : t[j] - theta[0] * x[j]
            y[lanes + j] = 0
          }
        },
        tangent: { lanes, t, x, theta, xDot, yDot in
          for j in 0..<lanes {
            yDot[j] = breaksValues && isBroken(j, lanes, t, x) ? .nan : -theta[0] * xDot[j]
            yDot[lanes + j] = 0
          }
        },
        reverse: { lanes, t, x, theta, yBar, xBar, tBar, thetaBar in
          for j in 0..<lanes where yBar[j] != 0 {
            let bar = isBroken(j, lanes, t, x) ? Double.nan : yBar[j]
            xBar[j] = -theta[0] * bar
            tBar[j] = bar
            thetaBar[0] -= x[j] * bar
          }
        },
        tangentReverse: { lanes, t, x, theta, xDot, yDotBar, _, xDotBar, _, thetaBar in
          for j in 0..<lanes where yDotBar[j] != 0 {
            let bar = isBroken(j, lanes, t, x) ? Double.nan : yDotBar[j]
            xDotBar[j] = -theta[0] * bar
            thetaBar[0] -= xDot[j] * bar
          }
        }))
  }

  static func field(_ dimension: Int, _ callback: FieldCallback) -> FieldProgram {
    var program = FieldProgram(stateDimension: dimension)
    program.append(.callback(input: .state, rows: dimension, callback))
    return program
  }
}
