/*
 * As much of WebAssembly's binary format (https://webassembly.github.io/spec/core/binary/) as printed programs need: modules
 * of functions on one imported memory, and instructions of 32-bit integers and vectors of four floats.
 */

export type ValueType = "i32" | "v128";

const typeByte: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b };

/** Vector instructions without immediates, by their numbers after the prefix 0xfd. */
const vectorOps = {
  "f32x4.splat": 19,
  "i32x4.splat": 17,
  "i64x2.splat": 18,
  "f64x2.splat": 20,
  "i32x4.lt_s": 57,
  "i32x4.ge_s": 63,
  "f32x4.eq": 65,
  "f32x4.lt": 67,
  "f32x4.le": 69,
  "f32x4.ge": 70,
  "f64x2.ne": 72,
  "v128.not": 77,
  "v128.and": 78,
  "v128.andnot": 79,
  "v128.or": 80,
  "v128.xor": 81,
  "v128.bitselect": 82,
  "f32x4.demote_f64x2_zero": 94,
  "f64x2.promote_low_f32x4": 95,
  "f32x4.floor": 104,
  "i32x4.shl": 171,
  "i32x4.shr_u": 173,
  "i32x4.add": 174,
  "i32x4.max_s": 184,
  "i64x2.add": 206,
  "i64x2.lt_s": 216,
  "f32x4.abs": 224,
  "f32x4.add": 228,
  "f32x4.sub": 229,
  "f32x4.mul": 230,
  "f32x4.div": 231,
  "f32x4.pmin": 234,
  "f32x4.pmax": 235,
  "f64x2.add": 240,
  "f64x2.sub": 241,
  "f64x2.mul": 242,
  "f32x4.relaxed_madd": 261,
} as const;
export type VectorOp = keyof typeof vectorOps;

const scalarOps = {
  "i32.lt_s": 0x48,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.shl": 0x74,
  "i32.shr_u": 0x76,
} as const;
export type ScalarOp = keyof typeof scalarOps;

/** An unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** A signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
};

const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];

const float = new DataView(new ArrayBuffer(8));

/** The body of a function as it is written. */
export class FunctionCode {
  private readonly bytes: number[] = [];
  private readonly locals: ValueType[] = [];

  constructor(readonly parameters: number) {}

  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }

  get(local: number): this {
    return this.put(0x20, ...unsigned(local));
  }

  set(local: number): this {
    return this.put(0x21, ...unsigned(local));
  }

  tee(local: number): this {
    return this.put(0x22, ...unsigned(local));
  }

  i32(value: number): this {
    return this.put(0x41, ...signed(value));
  }

  /** A float in all four places. */
  splat(value: number): this {
    float.setFloat32(0, value, true);
    this.put(0x43, ...[0, 1, 2, 3].map(i => float.getUint8(i)));
    return this.vector("f32x4.splat");
  }

  /** A float64 in both places, and a whole number of 64 bits. */
  splatWide(value: number): this {
    float.setFloat64(0, value, true);
    this.put(0x44, ...[0, 1, 2, 3, 4, 5, 6, 7].map(i => float.getUint8(i)));
    return this.vector("f64x2.splat");
  }

  splatWholeWide(value: number): this {
    return this.put(0x42, ...signed(value)).vector("i64x2.splat");
  }

  /** Two of the four halves of the two vectors on the stack. */
  halves(low: number, high: number): this {
    const bytes = (half: number): number[] => Array.from({ length: 8 }, (_, i) => 8 * half + i);
    return this.put(0xfd, 13, ...bytes(low), ...bytes(high));
  }

  splatBits(bits: number): this {
    return this.i32(bits).vector("i32x4.splat");
  }

  vector(op: VectorOp): this {
    return this.put(0xfd, ...unsigned(vectorOps[op]));
  }

  scalar(op: ScalarOp): this {
    return this.put(scalarOps[op]);
  }

  /** Loads four floats from the address on the stack plus `offset`. */
  load(offset: number): this {
    return this.put(0xfd, 0, 2, ...unsigned(offset));
  }

  store(offset: number): this {
    return this.put(0xfd, 11, 2, ...unsigned(offset));
  }

  loadInteger(offset: number): this {
    return this.put(0x28, 2, ...unsigned(offset));
  }

  call(index: number): this {
    return this.put(0x10, ...unsigned(index));
  }

  /** What `body` writes, over and over as long as it leaves something else than 0. */
  loop(body: () => void): this {
    this.put(0x03, 0x40);
    body();
    return this.put(0x0d, 0, 0x0b);
  }

  /** One of two, by whether the integer on the stack is 0. */
  either(yes: () => void, no: () => void): this {
    this.put(0x04, 0x40);
    yes();
    this.put(0x05);
    no();
    return this.put(0x0b);
  }

  private put(...bytes: number[]): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  /** The function's entry in the code section. */
  entry(): number[] {
    const locals = list(this.locals.map(type => [1, typeByte[type]]));
    const body = [...locals, ...this.bytes, 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

export interface ImportedFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
}

/** A module with imported functions and a memory of `env`, and functions of 32-bit integers that give nothing. */
export function moduleOf(
  imported: readonly ImportedFunction[],
  functions: readonly { readonly name: string; readonly code: FunctionCode }[],
): Uint8Array<ArrayBuffer> {
  const signature = (parameters: readonly ValueType[]): number[] => [
    0x60,
    ...list(parameters.map(type => [typeByte[type]])),
    0,
  ];
  const types = [
    ...imported.map(({ parameters }) => signature(parameters)),
    ...functions.map(({ code }) => signature(new Array<ValueType>(code.parameters).fill("i32"))),
  ];
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsigned(bytes.length), ...bytes];
  const imports = [
    ...imported.map(({ name }, i) => [...text("env"), ...text(name), 0, ...unsigned(i)]),
    [...text("env"), ...text("memory"), 2, 0, 1],
  ];
  const exports = functions.map(({ name }, i) => [...text(name), 0, ...unsigned(imported.length + i)]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list(functions.map((_, i) => unsigned(imported.length + i)))),
    ...section(7, list(exports)),
    ...section(10, list(functions.map(({ code }) => code.entry()))),
  ]);
}
