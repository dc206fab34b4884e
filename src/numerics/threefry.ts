/**
 * Threefry2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * a counter-based generator of additions, rotations and xors on 32-bit integers. Equal key and counter give equal bits
 * everywhere.
 */
const parity = 0x1bd11bda;
/** Four rounds each. */
const groups = 5;

/**
 * Writes the two words of block `counter` under `key` into `out`. Rotations are written out: it is called per value.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array): void {
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  // The key words to be injected after this group, the next and the one after.
  let a = key1 | 0;
  let b = parity ^ key0 ^ key1;
  let c = key0 | 0;
  for (let group = 1; group <= groups; group += 1) {
    if ((group & 1) === 1) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    x0 = (x0 + a) | 0;
    x1 = (x1 + b + group) | 0;
    const next = a;
    a = b;
    b = c;
    c = next;
  }
  out[0] = x0;
  out[1] = x1;
}
