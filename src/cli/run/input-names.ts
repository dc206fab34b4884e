import { type InputName, inputNames } from "../../attention/shape.js";
import { InputError, UsageError } from "../../errors.js";
import { listed } from "../../io/listed.js";

/** The tensors of an archive that are Q, K and V of one attention, and what is before their names there. */
export interface Reading {
  /** Such as `layers.3.`; empty for a file of one attention. */
  readonly prefix: string;
  readonly names: Readonly<Record<InputName, string>>;
}

/** What the last part of a tensor's name may be, in any case: each line is one way of naming the three. */
const wordings: readonly Readonly<Record<InputName, string>>[] = [
  { q: "q", k: "k", v: "v" },
  { q: "query", k: "key", v: "value" },
  { q: "queries", k: "keys", v: "values" },
  { q: "query_states", k: "key_states", v: "value_states" },
];

const everyWord = wordings.flatMap(words => Object.values(words)).join("|");

/** What is before the last part of a name that is one of the wordings; null for other names. */
export const prefixOf = (name: string): string | null =>
  new RegExp(`^(|.*[./_-])(${everyWord})$`, "i").exec(name)?.[1] ?? null;

/**
 * The tensors that an archive's names tell to be Q, K and V: those whose last parts, after `.`, `/`, `_` or `-`, are q, k and v
 * or query, key and value, under each prefix that has all three; by prefix in the order of their numbers.
 */
export function readingsOf(names: readonly string[]): readonly Reading[] {
  const readings: Reading[] = [];
  for (const words of wordings) {
    const byPrefix = new Map<string, Partial<Record<InputName, string>>>();
    const pattern = new RegExp(`^(|.*[./_-])(${words.q}|${words.k}|${words.v})$`, "i");
    for (const name of names) {
      const [, prefix = "", word = ""] = pattern.exec(name) ?? [];
      const role = inputNames.find(input => words[input] === word.toLowerCase());
      if (role === undefined) continue;
      const found = byPrefix.get(prefix) ?? {};
      byPrefix.set(prefix, { ...found, [role]: name });
    }
    for (const [prefix, { q, k, v }] of byPrefix) {
      if (q !== undefined && k !== undefined && v !== undefined) readings.push({ prefix, names: { q, k, v } });
    }
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  return readings.sort((a, b) => compare(a.prefix, b.prefix));
}

/**
 * The names of Q, K and V in an archive: those given, else exactly q, k and v, else the one reading that there is.
 * @throws InputError where there is none or more than one.
 */
export function namesIn(
  where: string,
  names: readonly string[],
  given: Partial<Record<InputName, string>>,
): Readonly<Record<InputName, string>> {
  for (const [role, name] of Object.entries(given)) {
    if (names.includes(name)) continue;
    const expected = `a tensor named ${name}, which --names gives for ${role}`;
    throw new InputError({ where, got: `the tensors ${listed(names)}`, expected });
  }
  const missing = inputNames.filter(role => given[role] === undefined);
  if (missing.length === 0) return { q: "", k: "", v: "", ...given };
  const readings = readingsOf(names);
  const plain = { q: "q", k: "k", v: "v" };
  const absent = missing.filter(role => !names.includes(role));
  if (absent.length === 0) return { ...plain, ...given };
  // What is given tells which of several readings is meant.
  const [only, another] = readings.filter(reading =>
    inputNames.every(role => given[role] === undefined || given[role] === reading.names[role]),
  );
  if (only !== undefined && another === undefined) return { ...only.names, ...given };
  const example = readings[0]?.names ?? plain;
  throw new InputError({
    where,
    got: only === undefined ? `the tensors ${listed(names)}` : `q, k and v under ${listed(readings.map(asPrefix))}`,
    expected: only === undefined ? `a tensor named ${absent.join(", and one named ")}` : "one of them",
    fix:
      only === undefined
        ? "--names q=NAME,k=NAME,v=NAME says which they are"
        : `take --names q=${example.q},k=${example.k},v=${example.v}, or --every-layer`,
  });
}

const asPrefix = ({ prefix, names }: Reading): string => (prefix === "" ? names.q : prefix);

/** `q=NAME,k=NAME,v=NAME`, any of them, for options that say something of each tensor. @throws UsageError */
export function parseByTensor<Role extends string>(
  option: string,
  text: string,
  roles: readonly Role[],
): Readonly<Partial<Record<Role, string>>> {
  const found = new Map<Role, string>();
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    const role = roles.find(name => name === part.slice(0, Math.max(0, equals)).trim());
    const value = part.slice(equals + 1).trim();
    if (role === undefined || value === "") {
      const example = `${roles[0]}=NAME`;
      throw new UsageError({
        where: option,
        got: `"${part}"`,
        expected: `${example} with one of ${roles.join(", ")} before the =, and commas between two`,
      });
    }
    if (found.has(role)) throw new UsageError({ where: option, got: `${role} twice`, expected: "each tensor once" });
    found.set(role, value);
  }
  return Object.fromEntries(found) as Partial<Record<Role, string>>;
}
