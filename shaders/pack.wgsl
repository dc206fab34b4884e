// Q, K or V from fp32 [row][width] into pages of 8 x 8 words (src/emulator/webgpu/pack.ts): an invocation makes a word.
// Rows and columns beyond the width are zeros, which change no bit: s + 0 * 0 = s.
// #import host: PackBatch, pageLayout, workgroupSize
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: packed, perWord

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
  let own = page % batch.pages;
  let before = own * 8u * perWord;
  let to = (eight * batch.stride + batch.before + own) * 64u + i % 64u;
  // A page of Q or K is 8 words of 8 rows, a word two neighbours; one of V is 8 rows of 8 words, a word columns j and j + 8; one of
  // lines is 64 columns of the one row that an eight has.
  if (pageLayout == 0u) {
    let column = before + high * perWord;
    words[to] = packed(operand(eight * 8u + low, column), operand(eight * 8u + low, column + 1u));
  } else if (pageLayout == 1u) {
    let column = before + low;
    words[to] = packed(operand(eight * 8u + high, column), operand(eight * 8u + high, column + 8u));
  } else {
    words[to] = bitcast<u32>(operand(eight, own * 64u + i % 64u));
  }
}
