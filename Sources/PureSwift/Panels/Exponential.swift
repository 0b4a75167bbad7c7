import FieldPrograms

/// `eˣ` and `eˣ − 1` for `x ≤ 0`, lane by lane, each to about 2 units in the last place.
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2; eʳ − 1 by its Taylor polynomial: of degree 7 the rest is below 6e-9 of eʳ (float),
/// of degree 13 below 5e-18 (double). `minusOne` = 2ⁿ(eʳ − 1) + (2ⁿ − 1) keeps full relative precision near 0.
/// x is cut off at −87 (float) or −708 (double), where 2ⁿ is still a normal number. NaN stays NaN.
@inline(__always)
func exponential<V: LaneVector>(_ argument: V) -> (value: V, minusOne: V) {
  let isFloat = MemoryLayout<V.Scalar>.size == 4
  let lowest = isFloat ? -87.0 : -708.0
  let x = select(isBeyond(argument, -lowest), V(lowest), argument)
  // Adding 1.5 · 2^(fraction bits) rounds to an integer and leaves it in the low bits.
  let shifter = V(isFloat ? 0x1.8p23 : 0x1.8p52)
  let shifted = x * V(1.4426950408889634) + shifter
  let n = shifted - shifter
  // ln 2 in two parts, the first with zeros at its end: n times it is exact (fdlibm, e_exp.c and Cephes, expf.c).
  let r =
    (x - n * V(isFloat ? 0.693359375 : 6.93147180369123816490e-01))
    - n * V(isFloat ? -2.12194440e-4 : 1.90821492927058770002e-10)
  var sum: V
  if isFloat {
    sum = V(1.0 / 5_040)
  } else {
    sum = V(1.0 / 6_227_020_800)
    sum = sum * r + V(1.0 / 479_001_600)
    sum = sum * r + V(1.0 / 39_916_800)
    sum = sum * r + V(1.0 / 3_628_800)
    sum = sum * r + V(1.0 / 362_880)
    sum = sum * r + V(1.0 / 40_320)
    sum = sum * r + V(1.0 / 5_040)
  }
  sum = sum * r + V(1.0 / 720)
  sum = sum * r + V(1.0 / 120)
  sum = sum * r + V(1.0 / 24)
  sum = sum * r + V(1.0 / 6)
  sum = sum * r + V(0.5)
  let polynomial = r + r * r * sum
  let power = powerOfTwo(shifted)
  let scaled = power * polynomial
  return (scaled + power, scaled + (power - V(1)))
}

/// `2ⁿ` from the integer n in the low bits of a shifted number (see `exponential`); n + bias must be a normal exponent.
@inline(__always)
private func powerOfTwo<V: LaneVector>(_ shifted: V) -> V {
  if MemoryLayout<V.Scalar>.size == 4 {
    let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self)
    return unsafeBitCast((bits &+ 127) &<< 23, to: V.self)
  }
  let bits = unsafeBitCast(shifted, to: SIMD4<UInt64>.self)
  return unsafeBitCast((bits &+ 1023) &<< 52, to: V.self)
}

/// `log(1 + u)` for `0 ≤ u ≤ 1`, lane by lane, to about 2 units in the last place.
///
/// = 2 artanh(s), s = u/(2 + u) ≤ 1/3: Σ 2 s^(2k+1)/(2k+1), whose rest after k = 7 is below 2e-9 (float), after k = 16
/// below 1e-17 (double), relative to the sum.
@inline(__always)
func logarithmOfOnePlus<V: LaneVector>(_ u: V) -> V {
  let s = u / (V(2) + u)
  let square = s * s
  var sum: V
  if MemoryLayout<V.Scalar>.size == 4 {
    sum = V(1.0 / 15)
  } else {
    sum = V(1.0 / 33)
    sum = sum * square + V(1.0 / 31)
    sum = sum * square + V(1.0 / 29)
    sum = sum * square + V(1.0 / 27)
    sum = sum * square + V(1.0 / 25)
    sum = sum * square + V(1.0 / 23)
    sum = sum * square + V(1.0 / 21)
    sum = sum * square + V(1.0 / 19)
    sum = sum * square + V(1.0 / 17)
    sum = sum * square + V(1.0 / 15)
  }
  sum = sum * square + V(1.0 / 13)
  sum = sum * square + V(1.0 / 11)
  sum = sum * square + V(1.0 / 9)
  sum = sum * square + V(1.0 / 7)
  sum = sum * square + V(1.0 / 5)
  sum = sum * square + V(1.0 / 3)
  let twice = s + s
  return twice + twice * square * sum
}
