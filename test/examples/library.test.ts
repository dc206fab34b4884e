import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const dist = resolve(import.meta.dirname, "../../dist");
const node = (...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: "/" });
  expect(stderr.replace(/^fusemax: engine .*\n/, "")).toBe("");
  expect(status).toBe(0);
  return stdout;
};

it("the library's example gives what the command line gives", () => {
  const sizes = "--heads 2 --kv-heads 1 --q-len 300 --kv-len 777 --head-dim 40 --value-dim 72 --array 64x32";
  const result = JSON.parse(node(`${dist}/cli/main.js`, "run", "--json", ...sizes.split(" "))) as {
    readonly output: { readonly sha256: string };
    readonly error: { readonly maxAbs: number };
    readonly cost: { readonly cycles: number };
  };
  const printed = node(`${dist}/examples/library/attention.js`);
  expect(printed).toContain(`sha256 ${result.output.sha256}`);
  expect(printed).toContain(`largest error ${result.error.maxAbs.toExponential(2)}`);
  expect(printed).toContain(`${Math.round(result.cost.cycles)} cycles`);
});
