import { InputError } from "../errors.js";
import { bytesOf, type ElementType } from "./element-types.js";

/** How to take values whose type does not say what they are: codes of floats kept as unsigned integers. */
export interface ReadAs {
  /** The type that the bits are of; the file's own where absent. */
  readonly as?: ElementType;
  /** The name under which a user says so, for the advice of an error. */
  readonly name?: string;
}

/** Types of codes by what `--dtype` calls them. */
export const codeTypes: Readonly<Record<string, ElementType>> = {
  bf16: "BF16",
  fp16: "F16",
  f8_e4m3: "F8_E4M3",
  f8_e5m2: "F8_E5M2",
  f8_e4m3fnuz: "F8_E4M3FNUZ",
  f8_e5m2fnuz: "F8_E5M2FNUZ",
  f8_e8m0: "F8_E8M0",
};

/** @throws InputError where values of `stored`, of `bytes` bytes each, are no codes of type `as`. */
export function requireCodes(where: string, stored: string, bytes: number, as: ElementType): ElementType {
  if (bytes === bytesOf[as] && /^([<>|]?[uV]\d|U\d+)$/.test(stored)) return as;
  throw new InputError({
    where,
    got: `values of type ${stored}, to be read as ${as}`,
    expected: `unsigned integers of ${bytesOf[as]} byte${bytesOf[as] === 1 ? "" : "s"} (u${bytesOf[as]}), whose bits are such codes`,
  });
}

/** What to do about unsigned integers of 1 or 2 bytes; undefined for other types. */
export function adviceForCodes(bytes: 1 | 2, { name }: ReadAs): string {
  const example = bytes === 2 ? "bf16" : "f8_e4m3";
  const what = bytes === 2 ? "bfloat16" : "8-bit floats";
  if (name !== undefined)
    return `it may hold ${what}: --dtype ${name}=${example} reads it so; else save a.astype('<f4')`;
  return bytes === 2
    ? "if it holds bfloat16, save a.view(ml_dtypes.bfloat16); else save a.astype('<f4')"
    : "if it holds 8-bit floats, write a .safetensors file, which names them; else save a.astype('<f4')";
}
