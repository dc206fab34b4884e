import { type Cascade, parseCascade } from "../cascade.js";
import type { DerivationStep } from "./derivation.js";

/** Headers that hold for the cascade that was given alone: who uses it, what was said of its text. */
const dropped: readonly string[] = ["title", "source", "systems", "note"];

const isHeader = (line: string, keys: readonly string[]): boolean => {
  const [, key] = /^\s*#+\s*([A-Za-z][\w -]*?)\s*:/.exec(line) ?? [];
  return key !== undefined && keys.includes(key.toLowerCase());
};

/** The last cascade of a derivation with a title and a source of its own; other headers, such as its roles, stay. */
export function titled(given: DerivationStep, last: DerivationStep, rank: string): Cascade {
  const { name, headers } = given.cascade;
  const passes = last.measure.passes === 1 ? "1 pass" : `${last.measure.passes} passes`;
  const head = [
    `# title: ${headers.get("title") ?? name}: ${passes} over ${rank}, derived`,
    `# source: fusemax derive ${name} --rank ${rank}${headers.has("source") ? `, from ${headers.get("source")}` : ""}`,
  ];
  const { lines } = last.cascade.source;
  const end = lines.findIndex(line => !/^\s*(#|$)/.test(line));
  const kept = lines.filter((line, i) => i >= end || !isHeader(line, dropped));
  return parseCascade([...head, ...kept].join("\n"), last.cascade.source.name);
}
