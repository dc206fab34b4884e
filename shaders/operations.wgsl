// The operations of a processing element one by one, as the attention kernels use them: for the self-test. An
// invocation makes one result; the op codes come in the prelude (src/emulator/webgpu/operations.ts).
// #import host: OperationBatch, dotBlock, hasKeyBlocks, hasValueBlocks, kLeastPower, keyBlock, keyStepsAreWide, macOne, opAdd, opBlockNumerator, opBlockScale, opCancel, opCorrection, opDiv, opExp, opFused, opMul, opNumerator, opOperand, opPower, opScore, opSubtract, opUpdate, opWeightedSum, pLeastPower, qLeastPower, roundA, roundP, vLeastPower, valueBlock, valueStepsAreWide, workgroupSize
// #import shared/barrier: opaqueZero, pin
// #import shared/block-sum: cutFactor, powerOf, topOf
// #import shared/divide: divide
// #import shared/exp2: correction, exponential, flushTiny, powerOfTwo
// #import shared/fused: fusedMultiplyAdd
// #import shared/numerators: mxRatio, mxScale, nvfp4Ratio, nvfp4Scale
// #import shared/terms-split | shared/terms-whole: Terms, moreTerms, termSum
// #import shared/wide-sum: exponentOfOne, largestExponentOf, wideResult, wideSum, wideTerm

@group(0) @binding(0) var<uniform> batch: OperationBatch;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> results: array<f32>; // the barrier's zero, then the results

// One step of a tensor core on the operands [first, to).
fn stepOf(s: f32, first: u32, to: u32, scale: f32, leastA: f32, leastB: f32, wide: bool) -> f32 {
  var power = vec4f();
  for (var j = first; j < to; j += 1u) {
    power = max(power, powerOf(vec4f(a[j]), leastA) * powerOf(vec4f(b[j]), leastB));
  }
  if (wide) {
    let exponent = exponentOfOne(scale) - 127;
    let largest = largestExponentOf(s, power.x, exponent);
    var sum = wideTerm(s, 1.0, largest, 0);
    for (var j = first; j < to; j += 1u) {
      sum = wideSum(sum, wideTerm(a[j], b[j], largest, exponent));
    }
    return wideResult(sum, largest);
  }
  let top = topOf(vec4f(s), power, vec4f(scale));
  let factor = cutFactor(top);
  var t = moreTerms(Terms(), vec4f(1.0), vec4f(1.0), mat4x4f(vec4f(s) * factor, vec4f(), vec4f(), vec4f()));
  for (var j = first; j < to; j += 1u) {
    t = moreTerms(t, vec4f(a[j]), vec4f(b[j]), mat4x4f(factor * scale, vec4f(), vec4f(), vec4f()));
  }
  return termSum(t, 0u, top).x;
}

// A sum of products by `dot`, in blocks of `width` with the products of their scales in c; 0 without.
fn sumOf(i: u32, width: u32, leastA: f32, leastB: f32, wide: bool) -> f32 {
  let first = i * batch.chain;
  let to = first + batch.chain;
  let blocks = select(1u, (batch.chain + width - 1u) / max(width, 1u), width != 0u);
  var s = 0.0;
  for (var n = 0u; n < blocks; n += 1u) {
    let begin = first + n * width;
    let end = select(to, min(begin + width, to), width != 0u);
    var scale = 1.0;
    if (width != 0u) {
      scale = c[i * blocks + n];
    }
    if (dotBlock == 0u) {
      var u = select(s, 0.0, width != 0u);
      for (var j = begin; j < end; j += 1u) {
        u = macOne(u, a[j], b[j]);
      }
      s = select(u, roundA(s + pin(u * scale)), width != 0u);
    } else {
      for (var j = begin; j < end; j += dotBlock) {
        s = stepOf(s, j, min(j + dotBlock, end), scale, leastA, leastB, wide);
      }
    }
  }
  return s;
}

// The scale of a block of numerators whose largest is `amax`, and an operand of it.
fn blockScale(amax: f32) -> f32 {
  if (valueBlock == 32u) {
    return mxScale(amax);
  }
  return nvfp4Scale(amax);
}

fn blockNumerator(x: f32, amax: f32) -> f32 {
  let scale = blockScale(amax);
  if (valueBlock == 32u) {
    return roundP(mxRatio(x, scale, amax));
  }
  return roundP(nvfp4Ratio(x, scale));
}

fn operation(i: u32) -> f32 {
  let x = a[i];
  let y = b[i];
  switch (batch.op) {
    case opAdd: {
      return roundA(x + y);
    }
    case opMul: {
      return flushTiny(roundA(pin(x * y)));
    }
    case opSubtract: {
      return roundA(x - y);
    }
    case opDiv: {
      return flushTiny(roundA(divide(x, y)));
    }
    case opUpdate: {
      return roundA(c[i] + flushTiny(roundA(pin(x * y))));
    }
    case opCancel: {
      return pin(pin(x + y) - x) - y;
    }
    case opExp: {
      return exponential(x, y);
    }
    case opNumerator: {
      return roundP(exponential(x, y));
    }
    case opCorrection: {
      return correction(x, y);
    }
    case opOperand: {
      return roundP(x);
    }
    case opPower: {
      return powerOfTwo(x);
    }
    case opFused: {
      return fusedMultiplyAdd(x, y, c[i]);
    }
    case opScore: {
      return sumOf(i, select(0u, keyBlock, hasKeyBlocks), qLeastPower, kLeastPower, keyStepsAreWide);
    }
    case opWeightedSum: {
      return sumOf(i, select(0u, valueBlock, hasValueBlocks), pLeastPower, vLeastPower, valueStepsAreWide);
    }
    case opBlockScale: {
      return blockScale(x);
    }
    case opBlockNumerator: {
      return blockNumerator(x, y);
    }
    default: {
      return 0.0;
    }
  }
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u) {
  opaqueZero = bitcast<u32>(results[0]);
  if (id.x < batch.count) {
    results[1u + id.x] = operation(id.x);
  }
}
