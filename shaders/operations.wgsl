// The operations of a processing element one by one, as the attention kernels use them: for the self-test. An
// invocation makes one result; the op codes come in the prelude (src/emulator/webgpu/operations.ts).

@group(0) @binding(0) var<uniform> batch: OperationBatch;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> results: array<f32>; // the barrier's zero, then the results

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
      return roundOperand(exponential(x, y));
    }
    case opCorrection: {
      return correction(x, y);
    }
    case opOperand: {
      return roundOperand(x);
    }
    default: {
      var s = 0.0;
      for (var j = i * batch.chain; j < (i + 1u) * batch.chain; j += 1u) {
        s = macOne(s, a[j], b[j]);
      }
      return s;
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
