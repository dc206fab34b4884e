import { UsageError } from "../../errors.js";
import type { Accounting } from "../../model/accounting.js";
import { type AttentionPoint, attentionPoints, unmasked } from "../../model/attention-point.js";
import { type MapperProblem, mapperProblem } from "../../model/mapper/problem.js";
import type { Patch } from "../../model/patch.js";
import type { Design } from "../../spec/design.js";
import { loadUnmapped, loadWorkload, type ReplacedParts, type SpecSource } from "../../spec/load.js";
import type { Phase, Workload } from "../../spec/workload.js";

/** What is to be mapped, by names, as it is handed to threads. */
export interface MapNames {
  readonly design: string;
  readonly technology: ReplacedParts["technology"];
  readonly model: string;
  readonly seq: number;
  /** Undefined: the workload's own. */
  readonly batch: number | undefined;
  readonly phase: Phase;
  readonly decodeQueries: number;
  readonly layers: string | undefined;
  /** Whether the model's own mask applies. */
  readonly mask: boolean;
  readonly patches: readonly Patch[];
  /** Whether only mappings count that a schedule can be simulated of. */
  readonly schedulable: boolean;
}

/** The specs that names name. */
export interface MapRequest {
  readonly design: Design;
  readonly workload: Workload;
  readonly point: AttentionPoint;
}

/** Reads the specs. Throws SpecError, UsageError. */
export function readMap(source: SpecSource, names: MapNames): MapRequest {
  const { technology, seq, layers, phase, decodeQueries } = names;
  const design = loadUnmapped(source, names.design, "--design", { technology });
  const given = loadWorkload(source, names.model, "--model");
  const workload = names.mask ? given : unmasked(given);
  const points = attentionPoints(workload, { phase, decodeQueries, seq, batch: names.batch ?? workload.batch });
  const found = points.length === 1 ? points[0] : points.find(({ kind }) => kind.name === layers);
  if (found !== undefined && (layers === undefined || found.kind.name === layers))
    return { design, workload, point: found };
  const got = layers === undefined ? `${names.model}, whose layers are of ${points.length} kinds` : `"${layers}"`;
  const kinds = points.map(({ kind }) => kind.name ?? "").join(", ");
  const expected = points.length === 1 ? "no such option for layers of one kind" : `one of ${kinds}`;
  throw new UsageError({ where: "--layers", got, expected });
}

export const problemOf = (
  { design, point }: MapRequest,
  accounting: Accounting,
  { patches, schedulable }: Pick<MapNames, "patches" | "schedulable">,
): MapperProblem => mapperProblem(design, point, accounting, patches, schedulable);
