import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { hasUnseen, SpecError } from "../errors.js";
import { isBeyondDouble, withinDouble } from "../numerics/decimal.js";

/** What one YAML file may be: far above any spec, and still read at once. */
export const yamlLimits = { characters: 2 ** 18, nesting: 50, values: 100_000 } as const;

/** A YAML text that has been read: its data, and its nodes with their places. */
export interface YamlText {
  readonly data: unknown;
  readonly contents: unknown;
  /** `line:column` of an offset of the text. */
  readonly place: (offset: number) => string;
}

/** The key under which a map has its tag, where a dialect has tags: no text can have it as a key of its own. */
export const tagKey = "!tag";

/**
 * Reads one YAML document as plain data. The library finds the nodes; what they stand for is worked out here, so that
 * each fault has its place, no alias is expanded without a limit, and nothing is printed.
 * @param tags those that maps of this dialect may have; a map keeps its own under `tagKey`
 * @throws SpecError at `file:line:column`.
 */
export function readYaml(file: string, text: string, tags: readonly string[] = []): YamlText {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const fail: Fail = (offset, got, expected, fix) => {
    throw new SpecError({
      where: `${file}:${place(offset)}`,
      got,
      expected,
      ...(fix === undefined ? {} : { fix }),
    });
  };
  if (text.length > yamlLimits.characters) {
    fail(0, `${text.length} characters`, `at most ${yamlLimits.characters}`);
  }
  refuseDeepBrackets(text, fail);
  const document = compose(text, lines, fail, tags);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    const [said = ""] = fault.message.split("\n");
    fail(fault.pos[0], inOurWords.get(fault.code) ?? said, fault.code === "MULTIPLE_DOCS" ? "one" : "YAML");
  }
  return { data: new Reader(fail, tags).read(document.contents), contents: document.contents, place };
}

const inOurWords: ReadonlyMap<string, string> = new Map([
  ["RESOURCE_EXHAUSTION", "nesting that is too deep"],
  ["MULTIPLE_DOCS", "a second document"],
]);

function compose(text: string, lineCounter: LineCounter, fail: Fail, tags: readonly string[]) {
  try {
    return parseDocument(text, {
      merge: true,
      lineCounter,
      prettyErrors: false,
      // The library compares each key with all before it; and its own complaint lacks the key.
      uniqueKeys: false,
      customTags: tags.map(tag => ({ tag, collection: "map", resolve: (map: unknown) => map })),
      logLevel: "error",
    });
  } catch (error) {
    if (error instanceof RangeError) return fail(0, "nesting that is too deep", "YAML");
    throw error;
  }
}

type Fail = (offset: number, got: string, expected: string, fix?: string) => never;

/** The library would follow brackets in brackets for a long time before it gave up. */
function refuseDeepBrackets(text: string, fail: Fail): void {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    // Brackets in comments and texts are few and soon closed.
    if (depth > 20 * yamlLimits.nesting)
      fail(i, `${depth} open brackets`, `at most ${yamlLimits.nesting} in one another`);
  }
}

const plainTags: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map(name => `tag:yaml.org,2002:${name}`),
);

/** Data and how many values it holds, aliases counted as what they stand for. */
interface Value {
  readonly data: unknown;
  readonly count: number;
}

class Reader {
  /** Nodes with an anchor, by its name: the latest of that name; undefined while it is being read. */
  private readonly anchored = new Map<string, Value | undefined>();
  private count = 0;

  constructor(
    private readonly fail: Fail,
    private readonly tags: readonly string[],
  ) {}

  read(contents: unknown): unknown {
    return this.value(contents as Node | null, 0).data;
  }

  private value(node: Node | null, depth: number): Value {
    if (node === null) return { data: null, count: 1 };
    const offset = offsetOf(node);
    if (depth > yamlLimits.nesting) {
      this.fail(offset, "nesting that is too deep", `at most ${yamlLimits.nesting} lists and maps in one another`);
    }
    if (isAlias(node)) return this.counted(this.target(node), offset);
    const isTagged = isMap(node) && node.tag !== undefined && this.tags.includes(node.tag);
    if (node.tag !== undefined && !plainTags.has(node.tag) && !isTagged) {
      this.fail(offset, `the tag ${node.tag}`, "values without tags", "remove the tag");
    }
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.anchored.set(anchor, undefined);
    const value = this.unaliased(node, offset, depth);
    if (anchor !== undefined) this.anchored.set(anchor, value);
    return value;
  }

  private unaliased(node: Node, offset: number, depth: number): Value {
    if (isMap(node)) return this.map(node, depth);
    if (isSeq(node)) {
      const values = (node.items as (Node | null)[]).map(item => this.value(item, depth + 1));
      return { data: values.map(({ data }) => data), count: 1 + sum(values) };
    }
    const data: unknown = isScalar(node) ? node.value : undefined;
    if (typeof data === "string" && hasUnseen(data)) {
      this.fail(offset, `a text with a control character, ${data.slice(0, 40)}`, "text that shows as it is");
    }
    if (data !== null && !["string", "number", "boolean"].includes(typeof data)) {
      this.fail(offset, `the value ${String(data)}`, "a text, a number, true, false or null");
    }
    if (typeof data === "number" && isScalar(node) && isBeyondDouble(data, String(node.source ?? data))) {
      this.fail(offset, `the number ${node.source}`, withinDouble, "infinity is written .inf");
    }
    return this.counted({ data, count: 1 }, offset);
  }

  private map(node: YAMLMap, depth: number): Value {
    const fields = new Map<string, Value>();
    const merged = new Map<string, Value>();
    const places = new Map<string, number>();
    for (const { key, value } of node.items as Pair<Node | null, Node | null>[]) {
      const name = this.key(key, node);
      const offset = key === null ? offsetOf(node) : offsetOf(key);
      if (places.has(name)) this.fail(offset, `the key '${name}' twice`, "each key once", "remove one of the two");
      places.set(name, offset);
      if (name !== "<<") fields.set(name, this.value(value, depth + 1));
      else for (const [field, read] of this.merge(value, depth)) if (!merged.has(field)) merged.set(field, read);
      // A merge is where it is written, below what is written out.
      if (name === "<<") for (const [field, read] of merged) if (!fields.has(field)) fields.set(field, read);
    }
    const data = Object.fromEntries([...fields].map(([name, value]) => [name, value.data]));
    if (node.tag !== undefined && this.tags.includes(node.tag)) data[tagKey] = node.tag;
    return { data, count: 1 + sum(fields.values()) };
  }

  private key(key: Node | null, map: YAMLMap): string {
    const read = isAlias(key) ? this.target(key).data : isScalar(key) ? key.value : undefined;
    const name = typeof read === "symbol" ? read.description : read;
    const offset = key === null ? offsetOf(map) : offsetOf(key);
    if (typeof name !== "string" && typeof name !== "number" && typeof name !== "boolean") {
      return this.fail(offset, "a key that is no name", "names as keys");
    }
    const text = String(name);
    if (hasUnseen(text) || /[\r\n]/.test(text) || text === "__proto__" || text === tagKey) {
      return this.fail(offset, `the key '${text}'`, "names as keys");
    }
    return text;
  }

  /** The fields of the map, or of the maps of a list, that `<<` brings in. */
  private merge(node: Node | null, depth: number): ReadonlyMap<string, Value> {
    const sources = isSeq(node) ? (node.items as (Node | null)[]) : [node];
    const fields = new Map<string, Value>();
    for (const source of sources) {
      const { data, count } = this.value(source, depth + 1);
      if (typeof data !== "object" || data === null || Array.isArray(data)) {
        const offset = source === null ? (node === null ? 0 : offsetOf(node)) : offsetOf(source);
        this.fail(offset, "a merge of something that is no map", "<<: *NAME, the anchor of a map");
      }
      for (const [name, value] of Object.entries(data as object)) {
        if (!fields.has(name)) fields.set(name, { data: value, count });
      }
    }
    return fields;
  }

  private target(alias: Alias): Value {
    const offset = offsetOf(alias);
    if (!this.anchored.has(alias.source)) {
      this.fail(offset, `the alias *${alias.source} of nothing`, `an anchor &${alias.source} before it`);
    }
    return (
      this.anchored.get(alias.source) ??
      this.fail(offset, `the alias *${alias.source} inside what it stands for`, "no circle of aliases")
    );
  }

  /** Aliases of aliases make much of little: every value that is meant counts. */
  private counted(value: Value, offset: number): Value {
    this.count += value.count;
    if (this.count > yamlLimits.values) {
      this.fail(offset, `more than ${yamlLimits.values} values`, `at most ${yamlLimits.values}, aliases written out`);
    }
    return value;
  }
}

const sum = (values: Iterable<Value>): number => {
  let total = 0;
  for (const { count } of values) total += count;
  return total;
};

const offsetOf = (node: Node): number => node.range?.[0] ?? 0;
