import { SpecError } from "../../errors.js";

/** One Einsum on the tile that a letter stands for: `SLN[c]`. */
export interface Operation {
  readonly einsum: string;
  readonly tile: string;
  /** `BQK[d]..` keeps its turns empty when it is done, until its stage ends. */
  readonly keepsTurns?: boolean;
}

/** Slots left empty on purpose: a fixed number, or as many as an operation takes where its tile has that operation. */
export interface Idle {
  readonly idle: number | Operation;
}

export type Stream = Operation | Idle;

/** What one stage of an epoch does: streams that take turns, a point each, until all are done. */
export interface Stage {
  readonly streams: readonly Stream[];
}

export const isIdle = (stream: Stream): stream is Idle => "idle" in stream;
export const operationText = (op: Operation): string => `${op.einsum}[${op.tile}]`;

/** A program as it is written. */
export const programText = (stages: readonly Stage[]): string =>
  stages
    .map(({ streams }) => {
      const texts = streams.map(streamText);
      return texts.length === 1 ? texts.join() : `(${texts.join(" | ")})`;
    })
    .join(" -> ");

const streamText = (stream: Stream): string =>
  isIdle(stream)
    ? `idle(${typeof stream.idle === "number" ? stream.idle : operationText(stream.idle)})`
    : `${operationText(stream)}${stream.keepsTurns === true ? ".." : ""}`;

/** Slots that may be left empty in one place: longer than any epoch. */
const mostIdle = 65_536;

const tokenPattern = /\s*(->|→|\.\.|\||\(|\)|[A-Za-z]\w*\[\w+\]|[A-Za-z]\w*|\d+|\S)/y;

/**
 * Reads one array's program in the notation of FuseMax Fig. 4: `(SLNV[b] | BQK[d]) -> LM[d] -> idle(1)`. `|` takes
 * turns, `->` follows; `idle(n)` and `idle(AV[b])` leave slots empty, and so does `BQK[d]..` when it is done.
 * @param where what to name in a SpecError, such as `file:line:column path`
 */
export function parseProgram(text: string, where: string): readonly Stage[] {
  const tokens = tokenize(text);
  let at = 0;
  const place = (): string => `${where}, character ${(tokens[at]?.start ?? text.length) + 1}`;
  const fail = (expected: string): never => {
    const got = tokens[at]?.text;
    throw new SpecError({ where: place(), got: got === undefined ? "the end" : `"${got}"`, expected });
  };
  const accept = (...texts: readonly string[]): boolean => {
    const token = tokens[at];
    if (token === undefined || !texts.includes(token.text)) return false;
    at++;
    return true;
  };
  const expectToken = (text: string): void => {
    if (!accept(text)) fail(`"${text}"`);
  };

  const operation = (): Operation => {
    const match = /^(\w+)\[(\w+)\]$/.exec(tokens[at]?.text ?? "");
    if (match === null) return fail("an operation such as SLN[c]");
    const [, einsum = "", tile = ""] = match;
    at++;
    return { einsum, tile };
  };
  const stream = (): Stream => {
    if (!accept("idle")) {
      const op = operation();
      return accept("..") ? { ...op, keepsTurns: true } : op;
    }
    expectToken("(");
    const count = /^\d+$/.test(tokens[at]?.text ?? "") ? Number(tokens[at++]?.text) : operation();
    if (typeof count === "number" && count > mostIdle) {
      throw new SpecError({ where: place(), got: `idle(${count})`, expected: `at most ${mostIdle} empty slots` });
    }
    expectToken(")");
    return { idle: count };
  };
  const stage = (): Stage => {
    if (!accept("(")) return { streams: [stream()] };
    const streams = [stream()];
    while (accept("|")) streams.push(stream());
    expectToken(")");
    return { streams };
  };

  const stages = [stage()];
  while (accept("->", "→")) stages.push(stage());
  if (at < tokens.length) fail('"->" or the end');
  return stages;
}

interface Token {
  readonly text: string;
  readonly start: number;
}

function tokenize(text: string): readonly Token[] {
  const pattern = new RegExp(tokenPattern);
  const tokens: Token[] = [];
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const found = match[1] ?? "";
    tokens.push({ text: found, start: match.index + match[0].length - found.length });
  }
  return tokens;
}
