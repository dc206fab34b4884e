import { CascadeError, nearest, type Source, type Span } from "./source.js";

export const roleNames = ["q", "k", "v", "out"] as const;
export type Role = (typeof roleNames)[number];
export const rolesExample = "# roles: q=Q, k=K, v=V, out=AV";

/** What of a cascade its header is checked against. */
interface Named {
  readonly source: Source;
  readonly headers: ReadonlyMap<string, string>;
  readonly inputs: readonly string[];
  readonly tensors: { keys(): Iterable<string> };
}

/**
 * Reads the header `# roles:` where there is one: each role once, q, k and v inputs, out written.
 * @throws CascadeError at the header's line.
 */
export function readRoles({ source, headers, inputs, tensors }: Named): ReadonlyMap<Role, string> {
  const span = headerSpan(source);
  const found = new Map<Role, string>();
  const text = headers.get("roles");
  for (const entry of text === undefined ? [] : text.split(",")) {
    const [word = "", tensor = ""] = entry.split("=").map(part => part.trim());
    const role = roleNames.find(name => name === word);
    const complain = (got: string, expected: string, fix: string = rolesExample): CascadeError =>
      new CascadeError(source, span, { got, expected, fix });
    if (role === undefined) throw complain(`the role "${entry.trim()}"`, `roles among ${roleNames.join(", ")}`);
    if (found.has(role)) throw complain(`the role ${role} twice`, "each role once");
    const known = role === "out" ? [...tensors.keys()].filter(name => !inputs.includes(name)) : inputs;
    if (!known.includes(tensor)) {
      const near = nearest(tensor, known);
      const expected = `${role === "out" ? "a tensor that an Einsum writes" : "an input"}: ${known.join(", ")}`;
      throw complain(`${role}=${tensor}`, expected, near === undefined ? rolesExample : `did you mean ${near}?`);
    }
    found.set(role, tensor);
  }
  return found;
}

/** Where the header is; the first line where there is none. */
export function headerSpan({ lines }: Source): Span {
  const line = lines.findIndex(text => /^\s*#+\s*roles\s*:/i.test(text));
  return line === -1
    ? { line: 1, column: 1, length: 1 }
    : { line: line + 1, column: 1, length: lines[line]?.length ?? 1 };
}
