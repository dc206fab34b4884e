import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Collects garbage now, and lets finalizers run. Dawn's threads and memory of a device go with the last JavaScript object
 * that stands for a part of it, and V8, which sees small objects only, may leave those for minutes.
 */
export async function collectGarbage(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
  }
  for (let round = 0; round < 2; round += 1) {
    // Promises that have just been settled still hold what they were about.
    await new Promise(resolve => setImmediate(resolve));
    collect();
  }
  await new Promise(resolve => setImmediate(resolve));
}
