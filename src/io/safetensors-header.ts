import { breather } from "../emulator/breathe.js";
import { InputError, shown } from "../errors.js";

/** A tensor as the header lists it. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** More tensors than the largest models have; each takes some hundred bytes of memory. */
const mostTensors = 500_000;
/** What a tensor's entry may hold beside the fields that are known. */
const mostNesting = 8;
const mostSkipped = 100_000;
const mostRanks = 64;

/**
 * Reads the header's JSON in one pass, value by value: what JSON.parse cannot tell (a name twice) is told, and nothing but
 * the entries is kept.
 * @throws InputError that names the tensor or the byte.
 */
export async function parseSafetensorsHeader(path: string, text: string): Promise<readonly Entry[]> {
  const breathe = breather();
  const entries: Entry[] = [];
  for (const entry of new HeaderReader(path, text).entries()) {
    entries.push(entry);
    // A header of hundreds of thousands of tensors takes seconds.
    if (entries.length % 1000 === 0) await breathe();
  }
  return entries;
}

class HeaderReader {
  private at = 0;
  private skipped = 0;

  constructor(
    private readonly path: string,
    private readonly text: string,
  ) {}

  *entries(): Generator<Entry, void> {
    if (this.peek() !== "{") throw this.wrong(this.path, "a header that is no JSON object", "a .safetensors file");
    let count = 0;
    for (const name of this.keys(this.path)) {
      if (name === "__metadata__") {
        this.metadata();
        continue;
      }
      yield this.entry(name);
      count += 1;
      if (count > mostTensors)
        throw this.wrong(this.path, `more than ${mostTensors} tensors`, `at most ${mostTensors}`);
    }
    if (this.peek() !== "") throw this.notJson("something after the object");
  }

  private metadata(): void {
    const where = `${this.path} __metadata__`;
    if (this.peek() !== "{") throw this.wrong(where, this.found(), "an object of texts");
    for (const _ of this.keys(where)) {
      if (this.peek() !== '"') throw this.wrong(where, this.found(), "an object of texts");
      this.string();
    }
  }

  private entry(name: string): Entry {
    const where = `${this.path} tensor ${shown(name, 100)}`;
    if (this.peek() !== "{") throw this.wrong(where, this.found(), "an object with dtype, shape and data_offsets");
    let dtype: string | null = null;
    let shape: readonly number[] | null = null;
    let offsets: readonly number[] | null = null;
    for (const key of this.keys(where)) {
      if (key === "dtype") {
        if (this.peek() !== '"') throw this.wrong(where, `dtype ${this.found()}`, "a dtype such as F32");
        dtype = this.string();
      } else if (key === "shape") shape = this.counts(where, "shape", "a list of sizes", mostRanks);
      else if (key === "data_offsets") offsets = this.counts(where, "data_offsets", "[begin, end] in bytes", 2);
      else this.skip(0);
    }
    const missing = dtype === null ? "dtype" : shape === null ? "shape" : "data_offsets";
    if (dtype === null || shape === null || offsets === null) {
      throw this.wrong(where, `no ${missing}`, "dtype, shape and data_offsets");
    }
    const [begin, end] = offsets as readonly number[];
    if (begin === undefined || end === undefined) {
      throw this.wrong(where, `data_offsets [${(offsets as readonly number[]).join(",")}]`, "[begin, end] in bytes");
    }
    return { name, dtype, shape, begin, end };
  }

  /** The keys of an object; who asks for the next has read the value of the one before. */
  private *keys(where: string): Generator<string, void> {
    const keys = new Set<string>();
    this.expect("{");
    for (let first = true; this.peek() !== "}"; first = false) {
      if (!first) this.expect(",");
      if (this.peek() !== '"') throw this.notJson(this.found());
      const key = this.string();
      if (keys.has(key)) throw this.wrong(where, `the key ${JSON.stringify(shown(key, 100))} twice`, "each key once");
      keys.add(key);
      this.expect(":");
      yield key;
    }
    this.at += 1;
  }

  private counts(where: string, field: string, expected: string, most: number): readonly number[] {
    const start = this.at;
    const list: number[] = [];
    const wrong = (): InputError => {
      const end = this.text.indexOf("]", start);
      const got = this.text.slice(start, end < 0 ? start + 60 : Math.min(end + 1, start + 60)).trim();
      return this.wrong(where, `${field} ${got}`, expected);
    };
    if (this.peek() !== "[") throw wrong();
    this.at += 1;
    for (let first = true; this.peek() !== "]"; first = false) {
      if (!first) this.expect(",");
      this.peek();
      const [digits] = this.match(/\d+(?![\d.eE])/y) ?? [];
      const value = Number(digits);
      if (digits === undefined || !Number.isSafeInteger(value) || list.length >= most) throw wrong();
      list.push(value);
    }
    this.at += 1;
    return list;
  }

  /** A value of a field that is not known. */
  private skip(depth: number): void {
    this.skipped += 1;
    if (this.skipped > mostSkipped) {
      throw this.wrong(this.path, `more than ${mostSkipped} values of unknown fields`, "dtype, shape and data_offsets");
    }
    if (depth > mostNesting) throw this.wrong(this.path, `nesting at byte ${this.at}`, `at most ${mostNesting} deep`);
    const start = this.peek();
    if (start === '"') this.string();
    else if (start === "{") for (const _ of this.keys(this.path)) this.skip(depth + 1);
    else if (start === "[") {
      this.at += 1;
      for (let first = true; this.peek() !== "]"; first = false) {
        if (!first) this.expect(",");
        this.skip(depth + 1);
      }
      this.at += 1;
    } else if (this.match(/(?:-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.])/y) === null) {
      throw this.notJson(this.found());
    }
  }

  private string(): string {
    const [written] = this.match(/"(?:[^"\\]|\\.)*"/sy) ?? [];
    if (written === undefined) throw this.notJson("a text without its end");
    try {
      return JSON.parse(written) as string;
    } catch {
      throw this.notJson(`the text ${shown(written, 60)}`);
    }
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at = pattern.lastIndex;
    return match;
  }

  private expect(symbol: string): void {
    if (this.peek() !== symbol) throw this.notJson(this.found());
    this.at += 1;
  }

  /** The next character that is no space; "" at the end. */
  private peek(): string {
    this.match(/[ \t\r\n]*/y);
    return this.text[this.at] ?? "";
  }

  private found(): string {
    const rest = this.text.slice(this.at, this.at + 20);
    return rest === "" ? "the end" : (/^[^,}\]\s]+/.exec(rest)?.[0] ?? rest[0] ?? "");
  }

  private notJson(got: string): InputError {
    return this.wrong(
      this.path,
      `a header that is not JSON (${got} at character ${this.at + 1})`,
      "a .safetensors file",
    );
  }

  private wrong(where: string, got: string, expected: string): InputError {
    return new InputError({ where, got, expected });
  }
}
