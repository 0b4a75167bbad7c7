import Foundation
import Testing

/// Every example runs and shows what it says. Their bars have the margin that seeds and instruction sets make.
@Suite struct ExampleTests {
  @Test func listed() throws {
    let names = try Examples.run().split(separator: "\n").compactMap { $0.split(separator: "\t").first }
    #expect(names.first == "first" && Set(names).count == names.count)
  }

  /// The NLL of a full-covariance Gaussian is 3.2 nats.
  @Test func first() throws {
    let output = try Examples.run("first")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 2.9)
  }

  /// The noise's entropy is 0.726 nats: the best there is, which 400 samples come to within 5 · 0.035 of.
  @Test func conditional() throws {
    let output = try Examples.run("conditional")
    let found = try Examples.number(after: "held-out NLL of x given c:", in: output)
    #expect(abs(found - 0.726) < 0.2)
    // The mean of 1,000 samples of deviation 0.5, and what training leaves.
    #expect(abs(try Examples.number(after: "mean of samples at c = 1:", in: output) - 2) < 0.15)
    #expect(abs(try Examples.number(after: "NLL of these samples:", in: output) - 0.726) < 0.15)
    // Of two classes the best rule is right 0.7 Φ(1 + ½ log 7/3) + 0.3 Φ(1 − ½ log 7/3) = 0.861 of the time, of 2,000
    // with a standard error of 0.0077: three above; as much again below, which training may cost.
    let accuracy = try Examples.number(after: "held-out samples:", in: output)
    #expect(accuracy < 0.861 + 3 * 0.0077 && accuracy > 0.861 - 6 * 0.0077, "\(output)")
    // 0.3 where both densities are equal. Two of them, each learned to a fifth, move the log-odds by 0.4 and p by 0.21
    // · 0.4 = 0.08.
    #expect(abs(try Examples.number(after: "p(second class | x = 0):", in: output) - 0.3) < 0.08, "\(output)")
  }

  /// Each finer tolerance brings both errors down.
  @Test func changeOfVariables() throws {
    let output = try Examples.run("change-of-variables")
    for words in ["state differs by", "determinant differ by"] {
      let figures = try output.components(separatedBy: "tolerance ").dropFirst().map {
        try Examples.number(after: words, in: $0)
      }
      #expect(figures.count == 3 && figures[0] > figures[1] && figures[1] > figures[2], "\(figures)")
      // Some tens of steps at 1e-9, stretched a little.
      #expect(figures[2] < 1e-6)
    }
    #expect(output.contains("t = 0.5"))
  }

  /// The NLL of the exact density is -0.307 nats; that of a Gaussian of the same moments is 0.21.
  @Test func logit() throws {
    let output = try Examples.run("logit")
    #expect(try Examples.number(after: "held-out NLL:", in: output) < -0.1)
    // Midpoints of a density that is steep at one end.
    #expect(abs(try Examples.number(after: "integral of p:", in: output) - 1) < 1e-3)
    #expect(output.contains("log p(1.2): -inf"))
  }

  /// The order of Euler's method, within the 0.1 that its own test allows.
  @Test func residualNetwork() throws {
    let output = try Examples.run("residual-network")
    #expect(abs(try Examples.number(after: "falls as n to the power", in: output) + 1) < 0.1)
  }

  /// Gradient descent ends at the quarter turn it was shown: from half a squared length of about 1.
  @Test func layer() throws {
    let output = try Examples.run("layer")
    #expect(try Examples.number(after: "loss after 200 steps:", in: output) < 1e-4)
  }

  /// The best affine map of these states leaves a mean squared error of 0.055 (least squares on 4,000 of them); a
  /// fiftieth of that is the bar, 0.0011, which no linear layer comes near. From (2, 0) the pendulum comes to (1.5327,
  /// −0.9531), here within twice the root of that.
  @Test func regression() throws {
    let output = try Examples.run("regression")
    #expect(try Examples.number(after: "on 300 held-out states:", in: output) < 0.0011, "\(output)")
    #expect(abs(try Examples.number(after: "from rest at angle 2 to angle", in: output) - 1.5327) < 0.07)
    #expect(abs(try Examples.number(after: "and speed", in: output) + 0.9531) < 0.07)
  }

  /// Evaluations fall as in `RegularisedTrainingTests`, by 13 % here, of which half is asked for; likelihood pays a
  /// little.
  @Test func regularised() throws {
    let output = try Examples.run("regularised")
    let plain = try Examples.number(after: "plain: evaluations of a held-out density:", in: output)
    #expect(try Examples.number(after: "regularised: evaluations of a held-out density:", in: output) < 0.93 * plain)
    let nll = try Examples.number(after: "plain: held-out NLL:", in: output)
    #expect(try Examples.number(after: "regularised: held-out NLL:", in: output) < nll + 0.25)
  }

  /// 96.7 and 96.9 % by the first two seeds; 360 digits have a standard error of 1 %.
  @Test func classifier() throws {
    let output = try Examples.run("classifier")
    #expect(try Examples.number(after: "accuracy on 360 held-out digits:", in: output) > 0.94)
  }

  /// An affine flow is that Gaussian, within what its last steps leave; the others know better.
  @Test func discrete() throws {
    let output = try Examples.run("discrete")
    let affine = try Examples.number(after: "affine flow, 6 parameters: NLL", in: output)
    #expect(abs(affine - 3.6) < 0.2, "\(output)")
    #expect(try Examples.number(after: "coupling flow, 4188 parameters: NLL", in: output) < affine - 0.3, "\(output)")
    #expect(
      try Examples.number(after: "two continuous blocks, 3764 parameters: NLL", in: output) < affine - 0.5, "\(output)")
  }

  /// Rates of size 1 learned to a percent; leapfrog of h = 0.05 is off by h² of the energy, the learned one by as much
  /// as its rates.
  @Test func hamiltonian() throws {
    let output = try Examples.run("hamiltonian")
    #expect(try Examples.number(after: "error of rates:", in: output) < 1e-3)
    #expect(try Examples.number(after: "energy at t = 100:", in: output) < 0.05)
  }

  /// The bound on displacement is that on transport between distributions that are fitted to a percent or so; the
  /// entropy of the Gaussian is 1 + log 2π + log (1/4) = 1.452 nats.
  @Test func transport() throws {
    let output = try Examples.run("transport")
    #expect(abs(try Examples.number(after: "displacement of OT-Flow:", in: output) - 5.5) < 0.5)
    #expect(try Examples.number(after: "changes of speed take", in: output) < 5)
    #expect(abs(try Examples.number(after: "NLL:", in: output) - 1.452) < 0.15)
  }

  /// As above; flow and reverse diffusion draw alike, by a test of level 1 %.
  @Test func diffusion() throws {
    let output = try Examples.run("diffusion")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 2.9)
    #expect(try Examples.number(after: "p =", in: output) > 0.01)
  }

  /// The NLL of a full-covariance Gaussian is 3.3 nats.
  @Test func flowMatching() throws {
    let output = try Examples.run("flow-matching")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 3.1)
  }

  /// Each knows better than the Gaussian.
  @Test func architectures() throws {
    let output = try Examples.run("architectures")
    let gaussian = try Examples.number(after: "Gaussian: NLL", in: output)
    let lines = output.split(separator: "\n").map(String.init).filter { $0.contains("parameters:") }
    #expect(lines.count == 4, "\(output)")
    for line in lines { #expect(try Examples.number(after: "parameters: NLL", in: line) < gaussian - 0.3, "\(output)") }
  }

  /// So do 36 bumps, from a field that stands still: a standard normal in the standardised data.
  @Test func closureField() throws {
    let output = try Examples.run("closure-field")
    let gaussian = try Examples.number(after: "Gaussian: NLL", in: output)
    #expect(abs(try Examples.number(after: "untrained: NLL", in: output) - gaussian) < 0.1, "\(output)")
    #expect(try Examples.number(after: "72 parameters: NLL", in: output) < gaussian - 0.3, "\(output)")
  }

  /// The divergence is 0 at best; of N(0, I) it is 4.8 nats, mean V ½ + 3 / (2 · 0.25) = 6.5 and log Z = 1.14 less the
  /// entropy, 2.84. A twentieth of that may be left; below 0 a mean over 4,000 samples comes by its standard error
  /// alone, about 0.5 / √4000.
  @Test func unnormalised() throws {
    let output = try Examples.run("unnormalised")
    let divergence = try Examples.number(after: "divergence from the density:", in: output)
    #expect(divergence > -0.05 && divergence < 0.24, "\(output)")
    // Standard error 1/√4000 = 0.016, five of them.
    #expect(abs(try Examples.number(after: "mean of the first column:", in: output)) < 0.08, "\(output)")
  }

  /// Kinetic energy falls as 1/T, so that the time grows.
  @Test func endTime() throws {
    let output = try Examples.run("end-time")
    #expect(try Examples.number(after: "from 0.5 to", in: output) > 0.55)
    #expect(try Examples.number(after: "held-out samples:", in: output) < 3.1)
  }
}
