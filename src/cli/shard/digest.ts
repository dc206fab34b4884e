import { createHash } from "node:crypto";
import type { Design } from "../../spec/design.js";

/** Of a document only what it says, whatever parts a design has; where it is does not matter. */
export const partsOf = (design: Design): unknown => Object.entries(design).map(([name, part]) => [name, dataOf(part)]);

const dataOf = (part: unknown): unknown =>
  typeof part === "object" && part !== null && "data" in part ? part.data : part;

/** Of anything that specs and options hold. */
export const digest = (value: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify(value, (_, part: unknown) => exact(part)))
    .digest("hex")
    .slice(0, 32);

/** What JSON has no words for and would leave out. */
function exact(part: unknown): unknown {
  if (part instanceof Map) return { map: [...part] };
  if (part instanceof Set) return { set: [...part] };
  if (typeof part === "number" && !Number.isFinite(part)) return { number: String(part) };
  return part;
}
