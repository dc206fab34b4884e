// RNE32(a * b + c), rounded once, in integers: fma of WGSL may round twice. Arguments are zeros or normal; a result below
// 2^-126 gives +0, and none reaches 2^128.
//
// Product and addend stand in windows of 62 bits, (high, low), with the leading bit at 59 or 60: of the two the one of the
// smaller exponent moves down, the bits that it loses kept as one (sticky).
fn fusedMultiplyAdd(a: f32, b: f32, c: f32) -> f32 {
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  let uc = bitcast<u32>(c);
  let ea = (ua >> 23u) & 0xffu;
  let eb = (ub >> 23u) & 0xffu;
  let ec = (uc >> 23u) & 0xffu;
  if (ea == 0u || eb == 0u) {
    return select(c, 0.0, ec == 0u);
  }
  // The product of two significands of 24 bits, in halves of 24.
  let ma = (ua & 0x7fffffu) | 0x800000u;
  let mb = (ub & 0x7fffffu) | 0x800000u;
  let middle = (ma >> 12u) * (mb & 0xfffu) + (ma & 0xfffu) * (mb >> 12u);
  let below = (ma & 0xfffu) * (mb & 0xfffu) + (middle & 0xfffu) * 0x1000u;
  let above = (ma >> 12u) * (mb >> 12u) + (middle >> 12u) + (below >> 24u);
  let product = vec2u(above * 32u + ((below >> 19u) & 31u), below * 0x2000u);
  let addend = vec2u(select((uc & 0x7fffffu) | 0x800000u, 0u, ec == 0u) * 32u, 0u);
  let apart = select(i32(ea + eb) - i32(ec) - 126, 0, ec == 0u);
  let isProduct = apart >= 0;
  let greater = select(addend, product, isProduct);
  let lesser = movedDown(select(product, addend, isProduct), u32(abs(apart)));
  // Two's complement where the signs differ.
  let sign = select(uc, ua ^ ub, isProduct) & 0x80000000u;
  let flip = select(0u, 0xffffffffu, ((ua ^ ub ^ uc) & 0x80000000u) != 0u);
  let low = (lesser.y ^ flip) + (flip & 1u);
  let carried = select(0u, 1u, flip != 0u && low == 0u);
  let sumLow = greater.y + low;
  let sumHigh = greater.x + (lesser.x ^ flip) + carried + select(0u, 1u, sumLow < low);
  let negative = (sumHigh & 0x80000000u) != 0u;
  let sumFlip = select(0u, 0xffffffffu, negative);
  let magnitudeLow = (sumLow ^ sumFlip) + (sumFlip & 1u);
  let magnitudeHigh = (sumHigh ^ sumFlip) + select(0u, 1u, negative && magnitudeLow == 0u);
  let leading = justified(vec2u(magnitudeHigh, magnitudeLow));
  // 24 bits, then the bits below them with a sticky one.
  let significand = leading.x >> 8u;
  let rest = (leading.x & 0xffu) * 2u + min(leading.y, 1u);
  let up = select(0u, 1u, rest + (significand & 1u) > 256u);
  let unit = select(i32(ec) - 187, i32(ea + eb) - 313, isProduct);
  let exponent = unit + 40 - i32(leading.z) + 149;
  let bits = (sign ^ (sumFlip & 0x80000000u)) | (u32(max(exponent, 0)) * 0x800000u + significand + up);
  return select(bitcast<f32>(bits), 0.0, exponent < 0 || leading.x == 0u);
}

// (high, low) in 64 bits, n bits further down; a bit that is lost leaves the last one set.
fn movedDown(x: vec2u, n: u32) -> vec2u {
  let far = n >= 32u;
  let high = select(x.x, 0u, far);
  let low = select(x.y, x.x, far);
  let lost = select(0u, x.y, far);
  // Beyond 63 nothing is left but what was lost.
  let r = select(min(n, 63u) & 31u, 31u, n > 63u);
  let over = (low * 2u) << (31u - r);
  return vec2u(high >> r, (low >> r) | ((high * 2u) << (31u - r)) | min(over | lost, 1u));
}

// (high, low) with the first one that is set moved to the top, and how far: (high, low, shift).
fn justified(x: vec2u) -> vec3u {
  let whole = x.x == 0u;
  let high = select(x.x, x.y, whole);
  let low = select(x.y, 0u, whole);
  let n = countLeadingZeros(high);
  let moved = vec2u((high << (n & 31u)) | ((low >> 1u) >> (31u - (n & 31u))), low << (n & 31u));
  return vec3u(moved, n + select(0u, 32u, whole));
}
