import Foundation
import Testing

/// Every example runs and prints what its text claims. The limits have a margin for differences between seeds and
/// instruction sets.
@Suite struct ExampleTests {
  @Test func listed() throws {
    let names = try Examples.run().split(separator: "\n").compactMap { $0.split(separator: "\t").first }
    #expect(names.first == "first" && Set(names).count == names.count)
  }

  /// For comparison: the NLL of a full-covariance Gaussian is 3.2 nats.
  @Test func first() throws {
    let output = try Examples.run("first")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 2.9)
  }

  /// The entropy of the noise is 0.726 nats, the best possible NLL. The mean over 400 samples is within 5 · 0.035 of
  /// it.
  @Test func conditional() throws {
    let output = try Examples.run("conditional")
    let found = try Examples.number(after: "held-out NLL of x given c:", in: output)
    #expect(abs(found - 0.726) < 0.2)
    // The error of the mean of 1,000 samples with standard deviation 0.5, plus that of training.
    #expect(abs(try Examples.number(after: "mean of samples at c = 1:", in: output) - 2) < 0.15)
    #expect(abs(try Examples.number(after: "NLL of these samples:", in: output) - 0.726) < 0.15)
    // The best possible accuracy for the two classes is 0.7 Φ(1 + ½ log 7/3) + 0.3 Φ(1 − ½ log 7/3) = 0.861. With 2,000
    // samples its standard error is 0.0077: three are allowed above, and six below, because training is not perfect.
    let accuracy = try Examples.number(after: "held-out samples:", in: output)
    #expect(accuracy < 0.861 + 3 * 0.0077 && accuracy > 0.861 - 6 * 0.0077, "\(output)")
    // p is 0.3 where both densities are equal. If each density has an error of a fifth, the log-odds change by 0.4 and
    // p by 0.21 · 0.4 = 0.08.
    #expect(abs(try Examples.number(after: "p(second class | x = 0):", in: output) - 0.3) < 0.08, "\(output)")
  }

  /// Both errors are smaller at each smaller tolerance.
  @Test func changeOfVariables() throws {
    let output = try Examples.run("change-of-variables")
    for words in ["state differs by", "determinant differ by"] {
      let figures = try output.components(separatedBy: "tolerance ").dropFirst().map {
        try Examples.number(after: words, in: $0)
      }
      #expect(figures.count == 3 && figures[0] > figures[1] && figures[1] > figures[2], "\(figures)")
      // There are some tens of steps with the tolerance 1e-9, and the flow amplifies errors slightly.
      #expect(figures[2] < 1e-6)
    }
    #expect(output.contains("t = 0.5"))
  }

  /// The NLL of the exact density is -0.307 nats, and that of a Gaussian with the same moments 0.21.
  @Test func logit() throws {
    let output = try Examples.run("logit")
    #expect(try Examples.number(after: "held-out NLL:", in: output) < -0.1)
    // The integral is by the midpoint rule, and the density is steep at one end.
    #expect(abs(try Examples.number(after: "integral of p:", in: output) - 1) < 1e-3)
    #expect(output.contains("log p(1.2): -inf"))
  }

  /// Euler's method has order 1. Its own test allows 0.1 too.
  @Test func residualNetwork() throws {
    let output = try Examples.run("residual-network")
    #expect(abs(try Examples.number(after: "falls as n to the power", in: output) + 1) < 0.1)
  }

  /// Gradient descent learns the quarter turn. The loss begins at about half a squared length of 1.
  @Test func layer() throws {
    let output = try Examples.run("layer")
    #expect(try Examples.number(after: "loss after 200 steps:", in: output) < 1e-4)
  }

  /// The best affine map of these states has a mean squared error of 0.055 (least squares on 4,000 of them). The limit
  /// 0.0011 is a fiftieth of that, which no linear layer reaches. From (2, 0) the pendulum moves to (1.5327, −0.9531);
  /// the test allows twice the root of the limit.
  @Test func regression() throws {
    let output = try Examples.run("regression")
    #expect(try Examples.number(after: "on 300 held-out states:", in: output) < 0.0011, "\(output)")
    #expect(abs(try Examples.number(after: "from rest at angle 2 to angle", in: output) - 1.5327) < 0.07)
    #expect(abs(try Examples.number(after: "and speed", in: output) + 0.9531) < 0.07)
  }

  /// As in `RegularisedTrainingTests`, regularisation reduces the evaluations: by 13 % here, of which the test requires
  /// half. The NLL may increase slightly.
  @Test func regularised() throws {
    let output = try Examples.run("regularised")
    let plain = try Examples.number(after: "plain: evaluations of a held-out density:", in: output)
    #expect(try Examples.number(after: "regularised: evaluations of a held-out density:", in: output) < 0.93 * plain)
    let nll = try Examples.number(after: "plain: held-out NLL:", in: output)
    #expect(try Examples.number(after: "regularised: held-out NLL:", in: output) < nll + 0.25)
  }

  /// The first two seeds reach 96.7 and 96.9 %. With 360 digits the standard error is 1 %.
  @Test func classifier() throws {
    let output = try Examples.run("classifier")
    #expect(try Examples.number(after: "accuracy on 360 held-out digits:", in: output) > 0.94)
  }

  /// An affine flow is the full-covariance Gaussian, up to the noise of its last training steps. The other models are
  /// better.
  @Test func discrete() throws {
    let output = try Examples.run("discrete")
    let affine = try Examples.number(after: "affine flow, 6 parameters: NLL", in: output)
    #expect(abs(affine - 3.6) < 0.2, "\(output)")
    #expect(try Examples.number(after: "coupling flow, 4188 parameters: NLL", in: output) < affine - 0.3, "\(output)")
    #expect(
      try Examples.number(after: "two continuous blocks, 3764 parameters: NLL", in: output) < affine - 0.5, "\(output)")
  }

  /// The field has rates of size 1, which are learned to a percent. Leapfrog with h = 0.05 changes the energy by h² of
  /// it, and the learned energy has an error like that of its rates.
  @Test func hamiltonian() throws {
    let output = try Examples.run("hamiltonian")
    #expect(try Examples.number(after: "error of rates:", in: output) < 1e-3)
    #expect(try Examples.number(after: "energy at t = 100:", in: output) < 0.05)
  }

  /// The displacement is that of optimal transport, because both distributions are fitted to about a percent. The
  /// entropy of the Gaussian is 1 + log 2π + log (1/4) = 1.452 nats.
  @Test func transport() throws {
    let output = try Examples.run("transport")
    #expect(abs(try Examples.number(after: "displacement of OT-Flow:", in: output) - 5.5) < 0.5)
    #expect(try Examples.number(after: "changes of speed take", in: output) < 5)
    #expect(abs(try Examples.number(after: "NLL:", in: output) - 1.452) < 0.15)
  }

  /// The limit on the NLL is that of `first`. A two-sample test at the level of 1 % compares samples of the flow
  /// with those of the reverse diffusion.
  @Test func diffusion() throws {
    let output = try Examples.run("diffusion")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 2.9)
    #expect(try Examples.number(after: "p =", in: output) > 0.01)
  }

  /// For comparison: the NLL of a full-covariance Gaussian is 3.3 nats.
  @Test func flowMatching() throws {
    let output = try Examples.run("flow-matching")
    #expect(try Examples.number(after: "held-out samples:", in: output) < 3.1)
  }

  /// Every architecture is better than the Gaussian.
  @Test func architectures() throws {
    let output = try Examples.run("architectures")
    let gaussian = try Examples.number(after: "Gaussian: NLL", in: output)
    let lines = output.split(separator: "\n").map(String.init).filter { $0.contains("parameters:") }
    #expect(lines.count == 4, "\(output)")
    for line in lines { #expect(try Examples.number(after: "parameters: NLL", in: line) < gaussian - 0.3, "\(output)") }
  }

  /// The untrained field is 0, so its density is a standard normal for the standardised data. After training, 36 bumps
  /// are better than the Gaussian.
  @Test func closureField() throws {
    let output = try Examples.run("closure-field")
    let gaussian = try Examples.number(after: "Gaussian: NLL", in: output)
    #expect(abs(try Examples.number(after: "untrained: NLL", in: output) - gaussian) < 0.1, "\(output)")
    #expect(try Examples.number(after: "72 parameters: NLL", in: output) < gaussian - 0.3, "\(output)")
  }

  /// The divergence is at least 0. That of N(0, I) is 4.8 nats: the mean of V, ½ + 3 / (2 · 0.25) = 6.5, plus log Z =
  /// 1.14, minus the entropy 2.84. The test allows a twentieth of that. The mean over 4,000 samples may be below 0 by
  /// its standard error, about 0.5 / √4000.
  @Test func unnormalised() throws {
    let output = try Examples.run("unnormalised")
    let divergence = try Examples.number(after: "divergence from the density:", in: output)
    #expect(divergence > -0.05 && divergence < 0.24, "\(output)")
    // The standard error is 1/√4000 = 0.016; five are allowed.
    #expect(abs(try Examples.number(after: "mean of the first column:", in: output)) < 0.08, "\(output)")
  }

  /// The kinetic energy decreases like 1/T, so the learned end time grows.
  @Test func endTime() throws {
    let output = try Examples.run("end-time")
    #expect(try Examples.number(after: "from 0.5 to", in: output) > 0.55)
    #expect(try Examples.number(after: "held-out samples:", in: output) < 3.1)
  }
}
