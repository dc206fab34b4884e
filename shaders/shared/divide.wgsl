// a / b correctly rounded to fp32, in integers: three steps of 8 quotient bits from a 32-bit remainder.
// b is positive; a quotient below 2^-125 gives +0 (the contract makes it +0 anyway).
fn divide(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  if ((ua & 0x7fffffffu) < 0x00800000u) {
    return 0.0;
  }
  let divisor = (ub & 0x7fffffu) | 0x800000u;
  var dividend = (ua & 0x7fffffu) | 0x800000u;
  var exponent = i32((ua >> 23u) & 0xffu) - i32((ub >> 23u) & 0xffu);
  if (dividend < divisor) {
    dividend <<= 1u;
    exponent -= 1;
  }
  var quotient = 1u;
  var remainder = dividend - divisor;
  for (var step = 0u; step < 3u; step += 1u) {
    remainder <<= 8u;
    let digits = remainder / divisor;
    remainder -= digits * divisor;
    quotient = (quotient << 8u) | digits;
  }
  // 24 bits of significand and a guard bit; the remainder is sticky. A carry moves into the exponent by itself.
  var significand = quotient >> 1u;
  if ((quotient & 1u) == 1u && (remainder != 0u || (significand & 1u) == 1u)) {
    significand += 1u;
  }
  if (exponent < -125) {
    return 0.0;
  }
  return bitcast<f32>((ua & 0x80000000u) | ((u32(exponent + 126) << 23u) + significand));
}
