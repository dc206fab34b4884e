// a / b correctly rounded to fp32. The quotient of the significands is first taken from fp32, which may be some units off, and put right
// by its remainder: integers, of which 32 bits are enough. b is positive; a quotient below 2^-125 gives +0 (the contract makes it +0
// anyway).
fn divide(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  let divisor = i32((ub & 0x7fffffu) | 0x800000u);
  let significandOfA = i32((ua & 0x7fffffu) | 0x800000u);
  let isLess = significandOfA < divisor;
  let dividend = select(significandOfA, significandOfA * 2, isLess);
  let exponent = i32((ua >> 23u) & 0xffu) - i32((ub >> 23u) & 0xffu) - select(0, 1, isLess);
  // 25 bits: 24 of significand, which are those of a value from 1 to 2, and a guard bit.
  let estimate = (bitcast<i32>(f32(dividend) / f32(divisor)) - 0x3f000000) * 2;
  let left = dividend * 0x1000000 - estimate * divisor;
  // The low bits of 1.5 * 2^23 and a small integer are that integer.
  let off = bitcast<i32>(floor(f32(left) / f32(divisor)) + 0x1.8p23f) - 0x4b400000;
  let rest = left - off * divisor;
  let correction = select(0, 1, rest >= divisor) - select(0, 1, rest < 0);
  let remainder = rest - correction * divisor;
  let quotient = bitcast<u32>(estimate + off + correction);
  // The remainder is sticky. A carry moves into the exponent by itself.
  let half = quotient >> 1u;
  let isUp = ((quotient & 1u) == 1u) & ((remainder != 0) | ((half & 1u) == 1u));
  let significand = half + select(0u, 1u, isUp);
  let bits = (ua & 0x80000000u) | ((u32(exponent + 126) * 0x800000u) + significand);
  return select(bitcast<f32>(bits), 0.0, (exponent < -125) | ((ua & 0x7fffffffu) < 0x00800000u));
}
