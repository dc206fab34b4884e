import { howMany, InputError } from "../errors.js";
import { type ByteSource, readWhole, truncated } from "./byte-source.js";
import { type ElementType, elementTypes, isElementType } from "./element-types.js";
import { listed } from "./listed.js";
import { adviceForCodes, type ReadAs, requireCodes } from "./read-as.js";
import { type Entry, parseSafetensorsHeader } from "./safetensors-header.js";
import { elementsOf, type StoredTensor, storedTensor } from "./stored-tensor.js";

// The format: https://github.com/huggingface/safetensors#format. Eight bytes of header length, a JSON header, then the
// values of all tensors without holes or overlaps.

/** The reference implementation's limit on a header. */
const mostHeaderBytes = 100_000_000;

const bitsOf: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  U16: 16,
  I16: 16,
  F16: 16,
  BF16: 16,
  U32: 32,
  I32: 32,
  F32: 32,
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
};
/** A .safetensors file, its header checked: `names` in file order, `tensor(name)` for those of a type that is read. */
export interface SafetensorsFile {
  readonly names: readonly string[];
  /** @throws InputError when there is no such tensor or it is of no type of `elementTypes`. */
  tensor(name: string, readAs?: ReadAs): StoredTensor;
}

/** Reads the header of a source. @throws InputError when it is cut short or its header is not well formed. */
export async function parseSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const path = source.where;
  if (source.length < 8) throw truncated(path, source.length, 8);
  const prefix = await readWhole(source, 0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(mostHeaderBytes)) {
    throw malformed(
      path,
      `a header of ${length} bytes`,
      `a .safetensors file: a header of at most ${mostHeaderBytes} bytes`,
    );
  }
  const start = 8 + Number(length);
  if (start > source.length) throw truncated(path, source.length, start);
  const entries = await parseSafetensorsHeader(path, textOf(path, await readWhole(source, 8, start)));
  for (const entry of entries) checkEntry(`${path} tensor ${entry.name}`, entry);
  checkOffsets(path, entries, source.length - start);
  const byName = new Map(entries.map(entry => [entry.name, entry]));
  return {
    names: entries.map(entry => entry.name),
    tensor(name, readAs = {}) {
      const entry = byName.get(name);
      const where = `${path} tensor ${name}`;
      if (entry === undefined) {
        const names = listed([...byName.keys()]);
        throw new InputError({ where: path, got: `the tensors ${names}`, expected: `a tensor named ${name}` });
      }
      const { shape } = entry;
      const dtype = typeOf(where, entry.dtype, readAs);
      return storedTensor({ ...source, where }, { dtype, shape, fortranOrder: false, offset: start + entry.begin });
    },
  };
}

/** The type that values are read in. @throws InputError where there is none. */
function typeOf(where: string, stored: string, readAs: ReadAs): ElementType {
  if (readAs.as !== undefined) return requireCodes(where, stored, (bitsOf[stored] ?? 0) / 8, readAs.as);
  if (isElementType(stored)) return stored;
  const fix = stored === "U16" || stored === "U8" ? adviceForCodes(stored === "U16" ? 2 : 1, readAs) : undefined;
  throw new InputError({
    where,
    got: `values of type ${stored}`,
    expected: `one of ${elementTypes.join(", ")}`,
    ...(fix === undefined ? {} : { fix }),
  });
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    // A byte order mark is no part of JSON.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(path, "a header that is no UTF-8 text", "a .safetensors file");
  }
}

const malformed = (where: string, got: string, expected: string): InputError =>
  new InputError({ where, got, expected });

/** @throws InputError for sizes and offsets that do not fit each other. */
function checkEntry(where: string, { dtype, shape, begin, end }: Entry): void {
  if (end < begin) throw malformed(where, `data_offsets [${begin},${end}]`, "an end after the beginning");
  const bits = Object.hasOwn(bitsOf, dtype) ? bitsOf[dtype] : undefined;
  if (bits === undefined) return;
  const bytes = (elementsOf(shape) * bits) / 8;
  if (end - begin === bytes) return;
  throw malformed(
    where,
    `data_offsets [${begin},${end}], ${howMany(end - begin, "byte")}`,
    `${howMany(bytes, "byte")} for shape [${shape.join(",")}] of ${dtype}`,
  );
}

/** Offsets must cover the values from first to last byte without holes or overlaps. */
function checkOffsets(path: string, entries: readonly Entry[], length: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const where = `${path} tensor ${name}`;
    if (begin < at) throw malformed(where, `data_offsets [${begin},${end}], an overlap`, `a beginning at byte ${at}`);
    if (begin > at) throw malformed(where, `data_offsets [${begin},${end}], a hole`, `a beginning at byte ${at}`);
    at = end;
  }
  if (length < at) throw truncated(path, length, at);
  if (length > at) throw malformed(path, `${howMany(length - at, "byte")} of no tensor`, "tensors that cover the file");
}
