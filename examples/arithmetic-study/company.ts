import { cpuEngine, onePassAttention } from "fusemax";
import { chooseEngine } from "fusemax/node";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { emulateHeads, type Head } from "./head.js";

/** Outputs whose bits differ from those of the JavaScript engine on one sequence with P0 = the number of queries. */
export interface Company {
  /** One query a tile in place of all. */
  readonly p0: number;
  /** Beside another sequence of the batch. */
  readonly batch: number;
  /** Half of the queries, without the others. */
  readonly queries: number;
  /** The engine that runs closures in place of printed code, WebAssembly, and the golden implementation. */
  readonly engines: number;
}

/** What must not change a bit, tried: `other` is a head of the same sizes. */
export async function company(arithmetic: ArithmeticSpec, head: Head, other: Head, m0: number): Promise<Company> {
  const printed = cpuEngine({ specialize: false });
  const closures = cpuEngine({ specialize: false, form: "closures" });
  const { rows, columns, values } = head.q;
  const run = { m0, p0: rows };
  const { av: usual } = await emulateHeads(arithmetic, [head], run, printed);
  const half = Math.floor(rows / 2);
  const fewer: Head = { ...head, q: { rows: half, columns, values: values.slice(0, half * columns) } };
  const changed = (got: ArrayLike<number>): number => {
    let count = 0;
    for (let i = 0; i < Math.min(got.length, usual.length); i += 1) count += Object.is(got[i], usual[i]) ? 0 : 1;
    return count;
  };
  const { q, k, v, scale } = head;
  const { engine: wasm } = await chooseEngine("wasm", arithmetic);
  const golden = onePassAttention(arithmetic, { ...{ q, k, v, m0, scale }, kvSplits: 1, sees: () => true });
  const of = async (...asked: Parameters<typeof emulateHeads>): Promise<number> =>
    changed((await emulateHeads(...asked)).av);
  return {
    p0: await of(arithmetic, [head], { m0, p0: 1 }, printed),
    batch: await of(arithmetic, [head, other], run, printed),
    queries: await of(arithmetic, [fewer], run, printed),
    engines:
      (await of(arithmetic, [head], run, closures)) +
      (await of(arithmetic, [head], run, wasm).finally(() => wasm.close())) +
      changed(golden.av.values),
  };
}
