// Q, K or V from fp32 [row][width] into pages of 8 x 8 words (src/emulator/webgpu/pack.ts): an invocation makes a word.
// Rows and columns beyond the width are zeros, which change no bit: s + 0 * 0 = s.

@group(0) @binding(0) var<uniform> batch: PackBatch;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> words: array<u32>;

fn operand(row: u32, column: u32) -> f32 {
  if (column >= batch.width) {
    return 0.0;
  }
  return bitcast<f32>(source[row * batch.width + column]);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * workgroupSize + id.x;
  let page = i / 64u;
  let eight = page / batch.pages;
  if (eight >= batch.eights) {
    return;
  }
  let low = i % 8u;
  let high = i / 8u % 8u;
  let before = page % batch.pages * 8u * perWord;
  // A page of Q or K is 8 words of 8 rows, a word two neighbours; one of V is 8 rows of 8 words, a word columns j and j + 8.
  if (ofValues == 0u) {
    let column = before + high * perWord;
    words[i] = packed(operand(eight * 8u + low, column), operand(eight * 8u + low, column + 1u));
  } else {
    let column = before + low;
    words[i] = packed(operand(eight * 8u + high, column), operand(eight * 8u + high, column + 8u));
  }
}
