import { InputError } from "../errors.js";
import { type ByteSource, readWhole, truncated } from "./byte-source.js";
import { elementsOf, type StoredFloat, type StoredTensor, storedTensor } from "./stored-tensor.js";

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
};
const isStoredFloat = (dtype: string): dtype is StoredFloat => /^(F16|BF16|F32|F64)$/.test(dtype);

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A .safetensors file, its header checked: `names` in file order, `tensor(name)` for those of a float type. */
export interface SafetensorsFile {
  readonly names: readonly string[];
  /** @throws InputError when there is no such tensor or it is not F16, BF16, F32 or F64. */
  tensor(name: string): StoredTensor;
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
  const entries = parseHeader(path, await readWhole(source, 8, start));
  checkOffsets(path, entries, source.length - start);
  return {
    names: entries.map(entry => entry.name),
    tensor(name) {
      const entry = entries.find(candidate => candidate.name === name);
      const where = `${path} tensor ${name}`;
      if (entry === undefined) {
        const names = entries.map(candidate => candidate.name).join(", ");
        throw new InputError({
          where: path,
          got: `the tensors ${names || "(none)"}`,
          expected: `a tensor named ${name}`,
        });
      }
      const { dtype, shape } = entry;
      if (!isStoredFloat(dtype)) {
        throw new InputError({ where, got: `values of type ${dtype}`, expected: "F16, BF16, F32 or F64" });
      }
      return storedTensor({ ...source, where }, { dtype, shape, fortranOrder: false, offset: start + entry.begin });
    },
  };
}

const malformed = (where: string, got: string, expected: string): InputError =>
  new InputError({ where, got, expected });

function parseHeader(path: string, bytes: Uint8Array): readonly Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(
      path,
      `a header that is not JSON (${(error as Error).message.slice(0, 80)})`,
      "a .safetensors file",
    );
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw malformed(path, "a header that is no JSON object", "a .safetensors file");
  }
  return Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseEntry(`${path} tensor ${name}`, name, value));
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseEntry(where: string, name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof dtype !== "string") throw malformed(where, `dtype ${JSON.stringify(dtype)}`, "a dtype such as F32");
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw malformed(where, `shape ${JSON.stringify(shape)}`, "a list of sizes");
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw malformed(where, `data_offsets ${JSON.stringify(offsets)}`, "[begin, end] in bytes");
  }
  const [begin, end] = offsets as [number, number];
  const bits = Object.hasOwn(bitsOf, dtype) ? bitsOf[dtype] : undefined;
  if (bits !== undefined && end - begin !== (elementsOf(shape) * bits) / 8) {
    throw malformed(
      where,
      `data_offsets [${begin},${end}], ${end - begin} bytes`,
      `${(elementsOf(shape) * bits) / 8} bytes for shape [${shape.join(",")}] of ${dtype}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Offsets must cover the values from first to last byte without holes or overlaps. */
function checkOffsets(path: string, entries: readonly Entry[], length: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const where = `${path} tensor ${name}`;
    if (end < begin) throw malformed(where, `data_offsets [${begin},${end}]`, "an end after the beginning");
    if (begin < at) throw malformed(where, `data_offsets [${begin},${end}], an overlap`, `a beginning at byte ${at}`);
    if (begin > at) throw malformed(where, `data_offsets [${begin},${end}], a hole`, `a beginning at byte ${at}`);
    at = end;
  }
  if (length < at) throw truncated(path, length, at);
  if (length > at)
    throw malformed(path, `${length - at} bytes that belong to no tensor`, "tensors that cover the file");
}
