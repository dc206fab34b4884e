import type { Design } from "../design.js";
import { type Document, withSchema } from "../document.js";
import { placesIn, type ScheduleDocument, scheduleSchema } from "../schedule/document.js";
import { isIdle, type Operation, parseProgram, programText, type Stage, type Stream } from "../schedule/notation.js";
import { operationsOf } from "../schedule/schedule.js";
import type { ScoreCascade } from "./cascade.js";
import { dependents, firstDependent, type TermArrays } from "./place.js";

type Programs = Record<string, Stage[]>;
type Tiles = Record<string, number | string>;

/**
 * The schedule with the added Einsums. On one array they follow the scores, or are before what reads them. A division on
 * another array is done an epoch later, and what waits for it two epochs later, so that neither array waits for the way
 * between them; a schedule of one letter has one tile at a time, and goes on so.
 */
export function scheduleWithTerms(
  design: Design,
  scores: ScoreCascade,
  arrays: TermArrays,
): Document<ScheduleDocument> | undefined {
  const { schedule } = design;
  if (schedule === undefined) return undefined;
  const { name, source, tiles, ...rest } = schedule.data;
  const where = placesIn(schedule);
  const programs: Programs = Object.fromEntries(
    Object.entries(rest).map(([array, text]) => [array, [...parseProgram(String(text), where(array))]]),
  );
  const has = (einsum: string): boolean =>
    Object.values(programs).some(stages => operationsOf(stages).some(({ op }) => op.einsum === einsum));
  // A schedule that has them is somebody's own.
  if (scores.added.some(({ name }) => has(name))) return schedule;
  const changed = new TermOperations(design, scores, arrays, programs, { ...tiles });
  changed.insert();
  const texts = Object.entries(changed.programs).map(([array, stages]) => [array, programText(stages)]);
  const raw = { name, source, tiles: changed.tiles, ...Object.fromEntries(texts) };
  return { ...withSchema(schedule, raw, scheduleSchema), shipped: false };
}

class TermOperations {
  private readonly waiting: ReadonlySet<string>;

  constructor(
    private readonly design: Design,
    private readonly scores: ScoreCascade,
    private readonly arrays: TermArrays,
    readonly programs: Programs,
    readonly tiles: Tiles,
  ) {
    this.waiting = dependents(design, scores);
  }

  insert(): void {
    const { home, divider, reader } = this.arrays;
    const { added } = this.scores;
    const made = this.placeOf(this.arrays.maker, name => name === this.scores.score);
    if (made === undefined) return;
    const letter = made.op.tile;
    if (reader !== undefined) {
      const read = this.placeOf(home, name => name === reader.name);
      if (read !== undefined) this.put(home, read.stage, this.operations(added, read.op.tile));
      return;
    }
    if (divider === home) {
      this.put(home, made.stage + 1, this.operations(added, letter));
      return;
    }
    const quotient = added.findIndex(({ role }) => role === "quotient");
    const [before, after] = [added.slice(0, quotient), added.slice(quotient + 1)];
    const alone = Object.keys(this.tiles).length === 1;
    const [divided, late] = alone ? [letter, letter] : this.laterLetters(letter);
    const readers = (this.design.placement ?? []).filter(({ reads }) =>
      reads.some(({ tensor }) => tensor === this.scores.score),
    );
    const waits = this.placeOf(home, name => readers.some(reader => reader.name === name));
    const inOrder = waits !== undefined && waits.stage > made.stage;
    const first = firstDependent(this.design, this.scores, divider);
    const next = this.placeOf(divider, name => name === first);
    this.put(divider, next?.stage ?? (this.programs[divider] ?? []).length, [
      operation(added[quotient]?.name ?? "", divided),
    ]);
    // The home array leaves as many slots empty as the other takes to divide: values would pile up between them.
    const pause: readonly Stage[] = alone
      ? []
      : [{ streams: [{ idle: { einsum: added[quotient]?.name ?? "", tile: divided } }] }];
    const later = [...pause, ...this.operations(after, late)];
    this.put(home, inOrder ? waits.stage : made.stage, later);
    this.put(home, made.stage + 1 + (inOrder ? 0 : later.length), this.operations(before, letter));
  }

  /** A letter for the tile whose division is done, and one for the tile that waits for it; all that waits moves back. */
  private laterLetters(letter: string): readonly [divided: string, late: string] {
    const lag = this.tiles[letter] ?? 0;
    const names = [..."efghijklmnopqrstuvwxyz"].filter(name => !(name in this.tiles));
    const [divided = "x1", late = "x2"] = names;
    const moved = (op: Operation): Operation =>
      op.tile === letter && this.waiting.has(op.einsum) ? { ...op, tile: late } : op;
    for (const [array, stages] of Object.entries(this.programs)) {
      this.programs[array] = stages.map(({ streams }) => ({
        streams: streams.map(
          (stream): Stream =>
            isIdle(stream)
              ? { idle: typeof stream.idle === "number" ? stream.idle : moved(stream.idle) }
              : moved(stream),
        ),
      }));
    }
    for (const [name, own] of Object.entries(this.tiles)) {
      if (name !== letter && typeof own === "number" && own >= Number(lag)) this.tiles[name] = own + 2;
    }
    const behind = (epochs: number): number | string =>
      typeof lag === "number" ? lag + epochs : `${letter} + ${epochs}`;
    this.tiles[divided] = behind(1);
    this.tiles[late] = behind(2);
    return [divided, late];
  }

  private operations(terms: readonly { readonly name: string }[], letter: string): readonly Stage[] {
    return terms.map(({ name }) => operation(name, letter));
  }

  private put(array: string, at: number, stages: readonly Stage[] | Stage): void {
    const own = this.programs[array] ?? [];
    this.programs[array] = [...own.slice(0, at), ...[stages].flat(), ...own.slice(at)];
  }

  /** The first operation of an array on an Einsum that is wanted, and its stage. */
  private placeOf(array: string, wanted: (einsum: string) => boolean) {
    const aliases = this.design.mapping.data.aliases ?? {};
    return operationsOf(this.programs[array] ?? []).find(({ op }) => wanted(aliases[op.einsum] ?? op.einsum));
  }
}

const operation = (einsum: string, tile: string): Stage => ({ streams: [{ einsum, tile }] });
