import type { Token } from "./lexer.js";

/**
 * Names without capitals that only ever are in brackets as factors of a rank variable: g of `I[c, g*x+r]`, a stride.
 * Where no other line tells which of two factors ranges, both are taken for variables.
 */
export function parametersIn(lines: readonly (readonly Token[])[]): ReadonlySet<string> {
  const factors = new Map<string, Set<string>>();
  const variables = new Set<string>();
  for (const tokens of lines) {
    let depth = 0;
    for (const [i, token] of tokens.entries()) {
      if (token.text === "[") depth += 1;
      else if (token.text === "]") depth -= 1;
      if (depth === 0 || !isLower(token)) continue;
      const partners = [partner(tokens, i, -1), partner(tokens, i, 1)].filter(found => found !== undefined);
      if (partners.length === 0) variables.add(token.text);
      else factors.set(token.text, new Set([...(factors.get(token.text) ?? []), ...partners.map(({ text }) => text)]));
    }
  }
  const open = [...factors].filter(([name]) => !variables.has(name));
  return new Set(open.filter(([, partners]) => [...partners].every(name => variables.has(name))).map(([name]) => name));
}

const isLower = (token: Token | undefined): token is Token =>
  token?.kind === "name" && token.text === token.text.toLowerCase();

/** The rank variable that a token is multiplied by on one side. */
function partner(tokens: readonly Token[], at: number, step: 1 | -1): Token | undefined {
  const sign = tokens[at + step];
  const other = tokens[at + step + step];
  return sign?.kind === "symbol" && sign.text === "*" && isLower(other) ? other : undefined;
}
