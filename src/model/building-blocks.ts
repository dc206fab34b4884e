import { SpecError } from "../errors.js";
import type { Document } from "../spec/document.js";
import { type Compiled, compileExpression, type Formula, namesIn, parseExpression } from "../spec/expression.js";
import type { Technology } from "../spec/technology.js";

/** Energy per access and area of one register file or buffer. */
export interface Block {
  readonly readPj: number;
  readonly writePj: number;
  readonly areaUm2: number;
  /** How the table of buffers gave it: a row of it, between rows, or beyond them. */
  readonly origin: "formula" | "table" | "interpolated" | "extrapolated";
}

/** Looks blocks up in a technology; remembers what it has answered. */
export interface BlockLibrary {
  /** @param bits of a word; of no effect where the technology has registers of one width */
  registerFile(depth: number, bits: number): Block;
  /** Whether registers are known for words of any width. */
  readonly registersOfAnyWidth: boolean;
  sram(bytes: number, widthBits: number): Block;
}

/** Whether the formulas of a technology's register files know the width of a word. */
export const hasRegistersOfAnyWidth = ({ registerFile }: Technology): boolean =>
  Object.values(registerFile).some((text: Formula) =>
    namesIn(parseExpression(text, () => "technology")).includes("bits"),
  );

/** Makes a technology's formulas and tables ready for questions. Throws SpecError when a formula is wrong. */
export function blockLibrary({ data, at }: Pick<Document<Technology>, "data" | "at">): BlockLibrary {
  const least0 = (path: readonly string[], compute: Compiled): Compiled => {
    return values => {
      const value = compute(values);
      if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
      throw new SpecError({ where: at(path), got: String(value), expected: "a number of at least 0" });
    };
  };
  const formula = (text: Formula, path: readonly string[], known = ["depth", "addressBits"]): Compiled =>
    least0(
      path,
      compileExpression(
        parseExpression(text, () => at(path)),
        name => {
          const slot = known.indexOf(name);
          if (slot >= 0) return slot;
          const expected = `one of ${known.join(", ")}`;
          throw new SpecError({ where: at(path), got: `the unknown name '${name}'`, expected });
        },
      ),
    );
  const { registerFile, sram, energyDecimals } = data;
  const ofRegisters = (field: keyof typeof registerFile): Compiled =>
    formula(registerFile[field], ["registerFile", field], ["depth", "addressBits", "bits"]);
  const registers = {
    readPj: ofRegisters("readPj"),
    writePj: ofRegisters("writePj"),
    areaUm2: ofRegisters("areaUm2"),
  };
  const decoderPj = formula(sram.decoderPj, ["sram", "decoderPj"]);
  const decoderUm2 = formula(sram.decoderUm2, ["sram", "decoderUm2"]);
  const surface = sramSurface(data.sram.table);
  const scale = 10 ** energyDecimals;
  const round = (energy: number): number => Math.round(energy * scale) / scale;
  const values = (depth: number, bits = 0): Float64Array => Float64Array.of(depth, Math.ceil(Math.log2(depth)), bits);
  return {
    registersOfAnyWidth: hasRegistersOfAnyWidth(data),
    registerFile: remember((depth, bits) => {
      const v = values(depth, bits);
      return {
        readPj: round(registers.readPj(v)),
        writePj: round(registers.writePj(v)),
        areaUm2: registers.areaUm2(v),
        origin: "formula",
      };
    }),
    sram: remember((bytes, widthBits) => {
      const v = values(Math.max(1, Math.ceil((bytes * 8) / widthBits)));
      const { readPj, writePj, areaUm2, origin } = surface(bytes, widthBits);
      return {
        readPj: round(readPj + decoderPj(v)),
        writePj: round(writePj + decoderPj(v)),
        areaUm2: areaUm2 + decoderUm2(v),
        origin,
      };
    }),
  };
}

/** A function of two numbers that keeps its answers. */
function remember<R>(compute: (a: number, b: number) => R): (a: number, b: number) => R {
  const known = new Map<number, Map<number, R>>();
  return (a, b) => {
    const row = known.get(a) ?? new Map<number, R>();
    const found = row.get(b) ?? compute(a, b);
    if (row.size === 0) known.set(a, row);
    row.set(b, found);
    return found;
  };
}

/**
 * Energy and area over (bytes, width): the table where it has the buffer, else straight lines between its neighbours
 * in logarithms of all three, first along the bytes, then along the width.
 */
function sramSurface(table: Technology["sram"]["table"]): (bytes: number, widthBits: number) => Block {
  const byWidth = new Map<number, { bytes: number; values: readonly number[] }[]>();
  for (const row of table) {
    const [width, depth, ...values] = row as readonly [number, number, number, number, number];
    const rows = byWidth.get(width) ?? [];
    rows.push({ bytes: (width * depth) / 8, values });
    byWidth.set(width, rows);
  }
  for (const rows of byWidth.values()) rows.sort((a, b) => a.bytes - b.bytes);
  const widths = [...byWidth.keys()].sort((a, b) => a - b);
  const along = (bytes: number, width: number): { values: readonly number[]; origin: Block["origin"] } => {
    const rows = byWidth.get(width) ?? [];
    return between(
      bytes,
      rows.map(r => r.bytes),
      i => (rows[i] as { values: readonly number[] }).values,
    );
  };
  return (bytes, widthBits) => {
    let origin: Block["origin"] = "table";
    const { values, origin: across } = between(widthBits, widths, i => {
      const line = along(bytes, widths[i] as number);
      if (line.origin === "extrapolated" || origin === "table") origin = line.origin;
      return line.values;
    });
    if (across === "extrapolated" || (across === "interpolated" && origin === "table")) origin = across;
    const [readPj, writePj, areaUm2] = values as [number, number, number];
    return { readPj, writePj, areaUm2, origin };
  };
}

/** A line through the two neighbours of x, in logarithms; exact on a knot, and level where there is one knot alone. */
function between(x: number, knots: readonly number[], at: (i: number) => readonly number[]) {
  const exact = knots.indexOf(x);
  if (exact >= 0) return { values: at(exact), origin: "table" as const };
  if (knots.length === 1) return { values: at(0), origin: "extrapolated" as const };
  const above = knots.findIndex(k => k > x);
  const right = above <= 0 ? (above === 0 ? 1 : knots.length - 1) : above;
  const [x0, x1] = [knots[right - 1] as number, knots[right] as number];
  const share = Math.log(x / x0) / Math.log(x1 / x0);
  const low = at(right - 1);
  const high = at(right);
  const values = low.map((v, i) => Math.exp(Math.log(v) + share * Math.log((high[i] as number) / v)));
  return { values, origin: above <= 0 ? ("extrapolated" as const) : ("interpolated" as const) };
}
