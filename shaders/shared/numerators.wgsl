// Numerators with the scales of blocks (docs/arithmetic.md, "Scales"). `amax`: the block's largest numerator.
// #import host: pLargest, roundScale
// #import shared/short-quotient: shortQuotient

const smallestAmax = 0x1p-40f;

// mx: 2^X with X = floor(log2 amax) - emax; without numerators any.
fn mxScale(amax: f32) -> f32 {
  let exponent = (bitcast<u32>(amax) & 0x7f800000u) + 0x3f800000u - (bitcast<u32>(pLargest) & 0x7f800000u);
  return select(bitcast<f32>(exponent), 1.0, amax < smallestAmax);
}

// x over a power of two.
fn mxRatio(x: f32, scale: f32, amax: f32) -> f32 {
  return select(x * bitcast<f32>(0x7f000000u - bitcast<u32>(scale)), 0.0, amax < smallestAmax);
}

// nvfp4, the head's factor being 1: the fp8-e4m3 next to RNE32(amax / 6).
fn nvfp4Scale(amax: f32) -> f32 {
  return select(roundScale(shortQuotient(amax, pLargest)), 0.0, amax < smallestAmax);
}

fn nvfp4Ratio(x: f32, scale: f32) -> f32 {
  return select(shortQuotient(x, select(scale, 1.0, scale == 0.0)), 0.0, scale == 0.0);
}
