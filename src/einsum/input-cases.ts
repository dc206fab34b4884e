import { InputError } from "../errors.js";
import { type DenseTensor, interpretableElements } from "./tensor-store.js";

export interface InputCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, DenseTensor>>;
}

type Fill = (i: number, count: number, random: () => number) => number;

function zerosInFront(i: number, count: number, random: () => number): number {
  return 2 * i < count ? 0 : random();
}

/**
 * Inputs that rewrites of one function have been seen to disagree on: ties, zeros in front (0/0), scores that are all
 * negative (a maximum that starts from 0), huge ones (an exponential that overflows), running maxima that move at every
 * step or never, one value above all others, a mean far from 0.
 */
const adversarial: readonly { readonly name: string; readonly fill: Fill }[] = [
  { name: "all zero", fill: () => 0 },
  { name: "all one", fill: () => 1 },
  { name: "all negative", fill: (_i, _n, random) => -1 - Math.abs(random()) },
  { name: "ascending", fill: (i, count) => (i + 1) / count },
  { name: "descending", fill: (i, count) => (count - i) / count },
  { name: "alternating", fill: i => (i % 2 === 0 ? 1 : -1) },
  { name: "zeros in front", fill: zerosInFront },
  { name: "zeros behind", fill: (i, count, random) => (2 * i < count ? random() : 0) },
  { name: "one spike", fill: (i, count, random) => (i === Math.floor(count / 2) ? 40 : random() / 8) },
  { name: "huge", fill: (_i, _n, random) => 100 * random() },
  { name: "tiny", fill: (_i, _n, random) => 1e-30 * random() },
  { name: "far from zero", fill: (_i, _n, random) => 1000 + random() },
];

/** Of all inputs together; a difference shows on fewer. */
const mostElements = 2 ** 24;

/** Of so many inputs each is tried alone: with more of them the work would grow by the square. */
const mostAlone = 8;

/**
 * Random inputs first, then the adversarial ones, then each input alone with zeros among random ones; one is made when it
 * is asked for.
 * @throws InputError for a shape too large to interpret.
 */
export function* inputCases(
  shapes: ReadonlyMap<string, readonly number[]>,
  trials: number,
  seed: number,
): Generator<InputCase, void> {
  const elements = [...shapes].reduce((sum, [name, shape]) => sum + interpretableElements(name, shape), 0);
  if (elements > mostElements) {
    throw new InputError({
      where: "the inputs",
      got: `${elements} elements`,
      expected: `at most ${mostElements}`,
      fix: "compare on a smaller --shape",
    });
  }
  const random = normalNumbers(seed);
  const make = (fillOf: (tensor: string) => Fill): InputCase["inputs"] =>
    Object.fromEntries(
      [...shapes].map(([name, shape]) => {
        const count = interpretableElements(name, shape);
        const fill = fillOf(name);
        return [name, { shape, data: Float64Array.from({ length: count }, (_, i) => fill(i, count, random)) }];
      }),
    );
  const anything: Fill = () => random();
  for (let i = 1; i <= trials; i += 1) yield { name: `random ${i}`, inputs: make(() => anything) };
  for (const { name, fill } of adversarial) yield { name, inputs: make(() => fill) };
  if (shapes.size === 1) return;
  for (const one of [...shapes.keys()].slice(0, mostAlone)) {
    yield { name: `${one} zero, the rest random`, inputs: make(name => (name === one ? () => 0 : anything)) };
    yield {
      name: `${one} with zeros in front, the rest random`,
      inputs: make(name => (name === one ? zerosInFront : anything)),
    };
  }
}

/** Normal deviates of a small seeded generator (mulberry32, Box and Muller). */
function normalNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
