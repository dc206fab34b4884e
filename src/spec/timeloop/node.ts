import { SpecError } from "../../errors.js";
import { locator, type Path, type SpecText } from "../document.js";
import { readYaml, tagKey } from "../yaml.js";

/** The tags of version 4 of Timeloop's architectures. */
const tags = ["!Container", "!Component", "!Parallel", "!Hierarchical", "!Pipelined", "!Nothing"] as const;

/** A value of one of Timeloop's files with its place, so that whatever is wrong with it is said at its line. */
export class TimeloopNode {
  constructor(
    private readonly at: (path: Path) => string,
    readonly path: Path,
    readonly value: unknown,
  ) {}

  /** `file:line:column path`. */
  get place(): string {
    return this.at(this.path);
  }

  fail(got: string, expected: string, fix?: string): SpecError {
    return new SpecError({ where: this.place, got, expected, ...(fix === undefined ? {} : { fix }) });
  }

  /** What this has no counterpart for. */
  unknown(got: string, why: string): SpecError {
    return this.fail(`${got}, which has no counterpart here`, why);
  }

  private get fields(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.fail(inWords(value), "a map");
  }

  /** The tag of a map, without its mark; undefined where it has none. */
  get tag(): string | undefined {
    const tag = this.fields[tagKey];
    return typeof tag === "string" ? tag.slice(1) : undefined;
  }

  get keys(): readonly string[] {
    return Object.keys(this.fields).filter(key => key !== tagKey);
  }

  child(key: string | number): TimeloopNode {
    const value = (this.value as Record<string | number, unknown>)[key];
    return new TimeloopNode(this.at, [...this.path, key], value);
  }

  get(key: string): TimeloopNode | undefined {
    return Object.hasOwn(this.fields, key) && this.fields[key] !== undefined ? this.child(key) : undefined;
  }

  need(key: string): TimeloopNode {
    const found = this.get(key);
    if (found !== undefined) return found;
    throw this.fail(`no ${key}`, `${key}: …`);
  }

  /** Refuses the first key that is none of these. */
  only(known: readonly string[]): void {
    const other = this.keys.find(key => !known.includes(key));
    if (other !== undefined) throw this.child(other).unknown(other, `of its fields ${known.join(", ")} alone`);
  }

  get items(): readonly TimeloopNode[] {
    const { value } = this;
    if (!Array.isArray(value)) throw this.fail(inWords(value), "a list");
    return value.map((_, i) => this.child(i));
  }

  get text(): string {
    if (typeof this.value === "string" && this.value !== "") return this.value;
    throw this.fail(inWords(this.value), "a name");
  }

  /** A name that our specs can have. */
  get name(): string {
    const { text } = this;
    if (/^[A-Za-z_]\w*$/.test(text)) return text;
    throw this.fail(`the name "${text}"`, "letters, digits and _, a letter first");
  }

  get number(): number {
    const { value } = this;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "string") throw this.unknown(`the expression "${value}"`, "a number, worked out");
    throw this.fail(inWords(value), "a number");
  }

  /** A whole number from 1. */
  get size(): number {
    const { value } = this;
    const { number } = this;
    if (Number.isSafeInteger(number) && number >= 1) return number;
    throw this.fail(String(value), "a whole number from 1");
  }

  /** A whole number from 0. */
  get count(): number {
    const { number } = this;
    if (Number.isSafeInteger(number) && number >= 0) return number;
    throw this.fail(String(number), "a whole number from 0");
  }

  /** A number above 0. */
  get positive(): number {
    const { number } = this;
    if (number > 0) return number;
    throw this.fail(String(number), "a number above 0");
  }

  /** The words of a list, or of a text with blanks or commas between them. */
  get words(): readonly string[] {
    if (Array.isArray(this.value)) {
      return this.items.map(item => (typeof item.value === "number" ? String(item.value) : item.text));
    }
    const { text } = this;
    return text.split(/[\s,]+/).filter(word => word !== "");
  }
}

/** The value that a file has under its only key, `top`. Throws SpecError. */
export function readTimeloop({ file, text }: SpecText, top: string): TimeloopNode {
  const yaml = readYaml(file, text, tags);
  const root = new TimeloopNode(locator(file, yaml), [], yaml.data);
  const found = root.need(top);
  root.only([top]);
  return found;
}

export const inWords = (value: unknown): string =>
  value === null || value === undefined
    ? "nothing"
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "a map"
        : JSON.stringify(value);

/** Names to choose from, in words: an empty list would say nothing. */
export const oneOf = (names: readonly string[], none: string): string =>
  names.length === 0 ? none : `one of ${names.join(", ")}`;

/** Checks the version that a file says: 0.4, as a number or a text. */
export function checkVersion(node: TimeloopNode): void {
  const version = node.get("version");
  if (version === undefined || String(version.value) === "0.4") return;
  throw version.fail(`version ${inWords(version.value)}`, "version 0.4");
}
