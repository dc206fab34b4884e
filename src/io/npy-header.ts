import { InputError } from "../errors.js";
import type { ElementType } from "./element-types.js";
import { adviceForCodes, type ReadAs, requireCodes } from "./read-as.js";

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const keys = ["descr", "fortran_order", "shape"] as const;
const tokenPattern = /\s*('[^'\\]*'|"[^"\\]*"|True|False|\d+L?|[{}():,[\]]|\S)/y;

/**
 * Reads the header's text, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * @throws InputError that says which part of it is not as it must be.
 */
export function parseNpyHeader(where: string, text: string): NpyHeader {
  const tokens = [...text.trimEnd().matchAll(new RegExp(tokenPattern, "gy"))].map(match => String(match[1]));
  let at = 0;
  const wrong = (got: string, expected: string): InputError => new InputError({ where, got, expected });
  const next = (): string => tokens[at++] ?? "the end";
  const expect = (symbol: string): void => {
    const token = next();
    if (token !== symbol) throw wrong(`${token} in the .npy header`, `${symbol}: descr, fortran_order and shape`);
  };
  const found = new Map<string, string | boolean | readonly number[]>();
  const value = (key: string): string | boolean | readonly number[] => {
    const token = next();
    if (key === "descr" && /^['"]/.test(token)) return token.slice(1, -1);
    if (key === "descr" && token === "[") throw wrongType(where, "a structured type");
    if (key === "fortran_order" && (token === "True" || token === "False")) return token === "True";
    if (key === "shape" && token === "(") return sizes();
    throw wrong(`${token} for ${key} in the .npy header`, "a type in quotes, True or False, and (sizes)");
  };
  const sizes = (): readonly number[] => {
    const list: number[] = [];
    for (let token = next(); token !== ")"; token = next()) {
      if (!/^\d+L?$/.test(token)) throw wrong(`${token} in the shape of the .npy header`, "sizes between commas");
      list.push(Number(token.replace("L", "")));
      if (tokens[at] !== ")") expect(",");
    }
    return list;
  };
  expect("{");
  for (let token = next(); token !== "}"; token = next()) {
    const key = /^['"]/.test(token) ? token.slice(1, -1) : token;
    if (!(keys as readonly string[]).includes(key)) {
      throw wrong(`the key ${key} in the .npy header`, "descr, fortran_order and shape");
    }
    if (found.has(key)) throw wrong(`the key ${key} twice in the .npy header`, "each key once");
    expect(":");
    found.set(key, value(key));
    if (tokens[at] !== "}") expect(",");
  }
  if (at < tokens.length) throw wrong(`${tokens[at]} after the .npy header`, "nothing but spaces");
  const missing = keys.find(key => !found.has(key));
  if (missing !== undefined) throw wrong(`a .npy header without ${missing}`, "descr, fortran_order and shape");
  return {
    descr: found.get("descr") as string,
    fortranOrder: found.get("fortran_order") as boolean,
    shape: found.get("shape") as readonly number[],
  };
}

/** By NumPy's codes, without their byte order, and by its names. bfloat16 is saved as two bytes without a type. */
const typeOfCode: ReadonlyMap<string, ElementType> = new Map([
  ["f2", "F16"],
  ["f4", "F32"],
  ["f8", "F64"],
  ["i1", "I8"],
  ["i2", "I16"],
  ["i4", "I32"],
  ["i8", "I64"],
  ["b1", "BOOL"],
  ["V2", "BF16"],
]);
const typeOfName: ReadonlyMap<string, ElementType> = new Map([
  ["bfloat16", "BF16"],
  ["float16", "F16"],
  ["float32", "F32"],
  ["float64", "F64"],
  ["float8_e4m3fn", "F8_E4M3"],
  ["float8_e5m2", "F8_E5M2"],
  ["float8_e4m3fnuz", "F8_E4M3FNUZ"],
  ["float8_e5m2fnuz", "F8_E5M2FNUZ"],
  ["float8_e8m0fnu", "F8_E8M0"],
  ["int8", "I8"],
  ["int16", "I16"],
  ["int32", "I32"],
  ["int64", "I64"],
  ["bool", "BOOL"],
]);

/** The element type and byte order that a descr names. @throws InputError for what is no float and no signed integer. */
export function elementTypeOf(
  where: string,
  descr: string,
  readAs: ReadAs = {},
): { dtype: ElementType; bigEndian: boolean } {
  if (readAs.as !== undefined) {
    const bytes = Number(/\d+$/.exec(descr)?.[0] ?? 0);
    return { dtype: requireCodes(where, descr, bytes, readAs.as), bigEndian: descr.startsWith(">") };
  }
  const named = typeOfName.get(descr);
  if (named !== undefined) return { dtype: named, bigEndian: false };
  const [, order, code = ""] = /^([<>|])(\w+)$/.exec(descr) ?? [];
  const dtype = typeOfCode.get(code);
  const single = /^[bi]1$/.test(code);
  // Bytes without a type have no order; one byte may have any.
  if (dtype === undefined || (order === "|" && !single && code !== "V2") || (order === ">" && code === "V2")) {
    throw wrongType(where, descr, readAs);
  }
  return { dtype, bigEndian: order === ">" };
}

function wrongType(where: string, descr: string, readAs: ReadAs = {}): InputError {
  const fix = /^[<>|]u2$/.test(descr)
    ? adviceForCodes(2, readAs)
    : /^[<>|](u1|V1)$/.test(descr)
      ? adviceForCodes(1, readAs)
      : "save a.astype('<f4')";
  return new InputError({
    where,
    got: `values of type ${descr}`,
    expected: "floats (f2, f4, f8, bfloat16 as V2), signed integers or booleans",
    fix,
  });
}
