import { changeReference } from "./change-reference.js";
import { followFactor } from "./correct-running-sum.js";
import { chainOf, compareNodes, type Node } from "./derivation.js";
import { mergeTiles } from "./merge-tiles.js";
import { recompute } from "./recompute.js";
import { reduceInTwoSteps } from "./reduce-in-two-steps.js";
import { runAboutMean } from "./run-about-mean.js";
import { runningExtremum, runningSum } from "./run-reduction.js";
import { splitRank } from "./split-rank.js";

/** How a cascade goes about it: what tells answers apart for people. */
interface Form {
  readonly tiles: boolean;
  readonly runs: boolean;
  readonly follows: boolean;
  readonly recomputes: boolean;
}

const nameOfSplit = splitRank("").name;
const nameOfRecompute = recompute("").name;

const namesOf = (node: Node): ReadonlySet<string | undefined> => new Set(chainOf(node).map(({ law }) => law?.name));

function formOf(node: Node): Form {
  const names = namesOf(node);
  return {
    tiles: names.has(nameOfSplit),
    runs: node.cascade.einsums.some(({ iteration }) => iteration !== null),
    follows: names.has(followFactor.name),
    recomputes: names.has(nameOfRecompute),
  };
}

/** Whether steps were taken that lead nowhere: tiles that nothing looks at, running values to which nothing is taken. */
function isIdle(node: Node): boolean {
  const names = namesOf(node);
  const has = (...some: readonly string[]): boolean => some.some(name => names.has(name));
  if (has(nameOfSplit) && !has(changeReference.name, mergeTiles.name)) return true;
  if (has(reduceInTwoSteps.name) && !has(changeReference.name)) return true;
  if (has(runningExtremum.name) && !has(changeReference.name)) return true;
  if (has(runningSum.name) && !has(followFactor.name)) return true;
  return has(changeReference.name) && has(runAboutMean.name) && has(nameOfSplit) && !has(reduceInTwoSteps.name);
}

/** The best cascade of each form and number of passes that has been seen, with cautions and without. */
export class Answers {
  private readonly best = new Map<string, Node>();

  add(node: Node): void {
    const kind = [node.measure.passes, ...Object.values(formOf(node)), node.cautions.length > 0].join();
    const known = this.best.get(kind);
    if (known !== undefined && compareNodes(node, known) >= 0) return;
    if (!isIdle(node)) this.best.set(kind, node);
  }

  /** Those that pass the rank less often than the cascade that was given, best first. */
  below(passes: number): readonly Node[] {
    const fewer = [...this.best.values()].filter(({ measure }) => measure.passes < passes).sort(compareNodes);
    return fewer.filter((node, i) => !fewer.slice(0, i).some(better => isInPlaceOf(better, node)));
  }
}

/** Whether nobody would take an answer who has a better one: it runs, or has cautions, and gains nothing by it. */
function isInPlaceOf(better: Node, node: Node): boolean {
  const [a, b] = [formOf(better), formOf(node)];
  const worse = node.measure.work >= better.measure.work && node.measure.live.length >= better.measure.live.length;
  const sameForm = Object.values(a).join() === Object.values(b).join();
  if (node.cautions.length > 0 && worse)
    return node.measure.passes > better.measure.passes || (better.cautions.length === 0 && sameForm);
  if (node.measure.passes === better.measure.passes)
    return worse && better.cautions.length === 0 && !a.tiles && !a.runs && b.follows;
  return b.runs || (sameForm && !b.tiles && worse);
}
