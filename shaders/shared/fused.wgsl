// RNE32(a * b + c), rounded once: fma of WGSL may round twice. Error-free steps give the product and the sum with what their
// roundings lose; the sum of the two losses is rounded to odd, after which the last rounding is the only one (Boldo and Melquiond,
// "Emulation of FMA and correctly rounded sums", IEEE Transactions on Computers 57, 2008). Every step is pinned.
//
// Magnitudes are below 2^60, a result below 2^-126 gives +0. Where a product is so small that its loss is no fp32 value, all is moved up;
// beside a larger addend neither it nor its loss counts.
// #import shared/barrier: pin
fn fusedMultiplyAdd(a: f32, b: f32, c: f32) -> f32 {
  let up = select(1.0, 0x1p60f, (abs(a * b) < 0x1p-70f) & (abs(c) < 0x1p-40f));
  let down = select(1.0, 0x1p-60f, up != 1.0);
  return fusedUnscaled(a * up, b, c * up) * down;
}

fn fusedUnscaled(a: f32, b: f32, c: f32) -> f32 {
  let product = pin(a * b);
  let ofProduct = productLoss(a, b, product);
  let sum = pin(product + c);
  let ofSum = sumLoss(product, c, sum);
  let losses = pin(ofProduct + ofSum);
  let rest = sumLoss(ofProduct, ofSum, losses);
  let bits = bitcast<u32>(losses);
  // Away from zero or toward it, to the odd neighbour.
  let toOdd = select(bits - 1u, bits + 1u, (rest > 0.0) == (losses > 0.0));
  return sum + bitcast<f32>(select(toOdd, bits, (rest == 0.0) | ((bits & 1u) == 1u)));
}

// a * b - product, exact: the factors in halves of 12 bits, whose products are exact, and every sum of which is.
fn productLoss(a: f32, b: f32, product: f32) -> f32 {
  let highA = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let highB = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let lowA = a - highA;
  let lowB = b - highB;
  let first = pin(pin(highA * highB) - product);
  let second = pin(first + pin(highA * lowB));
  let third = pin(second + pin(lowA * highB));
  return pin(third + pin(lowA * lowB));
}

// a + b - sum, exact.
fn sumLoss(a: f32, b: f32, sum: f32) -> f32 {
  let second = pin(sum - a);
  return pin(pin(a - pin(sum - second)) + pin(b - second));
}
