import { createHash } from "node:crypto";
import { programIdentity } from "../../io/program-identity.js";
import type { SweepRequest } from "../../model/sweep.js";
import type { WorkIdentity } from "../journal.js";
import { digest, partsOf } from "../shard/digest.js";

/** Everything that fixes the numbers of a sweep. */
export interface SweepIdentity extends WorkIdentity {
  /** Digest of grid and accounting. */
  readonly sweep: string;
}

export function sweepIdentity({ designs, workloads, axes, ...sweep }: SweepRequest): SweepIdentity {
  const grid = axes.map(({ path, values }) => [path, hashOfNumbers(values)]);
  return {
    program: programIdentity(),
    specs: digest([designs.map(partsOf), workloads]),
    sweep: digest([grid, sweep]),
  };
}

/** An axis may have more values than a text has room for. */
const hashOfNumbers = (values: readonly number[]): string =>
  createHash("sha256").update(Float64Array.from(values)).digest("hex");
