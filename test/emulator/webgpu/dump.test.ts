import { describe, expect, it } from "vitest";
import { kernelText } from "../../../src/emulator/webgpu/kernel.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { readShader } from "../../../src/platform/shaders.js";

const constants = { blocksAtOnce: 1 };
const text = (name: "attention-rows" | "attention-tiles", dumps: boolean): string =>
  kernelText({ name, arithmetic: formatArithmetics.bf16, workgroupSize: 64, constants, dumps }, readShader);

/** The bodies of `if (dumps)`, to the brace that closes each. */
function switchedOn(code: string): readonly string[] {
  const lines = code.split("\n");
  return lines.flatMap((line, i) => {
    const indent = /^( *)if \(dumps\) \{$/.exec(line)?.[1];
    if (indent === undefined) return [];
    const end = lines.findIndex((other, j) => j > i && other === `${indent}}`);
    return [lines.slice(i + 1, end).join("\n")];
  });
}

/** What a dump may add to a kernel: stores into the sums at a place of the dump, and names and conditions for them. */
const added = [
  /^ *sums\[dump.*\] = \w+(\[.*\])?;$/,
  /^ *dumpEight\(dumped\w+, .*\);$/,
  /^ *(let|for) .*$/,
  /^ *if \(\w+( == 2u)?\) \{$/,
  /^ *\}$/,
];

describe.each(["attention-rows", "attention-tiles"] as const)("the dump of %s", name => {
  it("law: its kernel is that of a run, but for stores", () => {
    const [run, dump] = [text(name, false), text(name, true)];
    expect(dump).toBe(run.replace("const dumps = false;", "const dumps = true;"));
    const bodies = switchedOn(dump);
    const code = dump.replace(/^\/\/ #import.*$/gm, "");
    expect(bodies.length).toBe((code.match(/\bdumps\b/g)?.length ?? 0) - 2);
    expect(bodies.length).toBeGreaterThan(3);
    const others = bodies.flatMap(body => body.split("\n")).filter(line => !added.some(allowed => allowed.test(line)));
    expect(others).toEqual([]);
    const helper = /^fn dumpEight\([^)]*\) \{\n([\s\S]*?)^\}/m.exec(dump)?.[1]?.trimEnd().split("\n") ?? [];
    expect(helper.filter(line => !added.some(allowed => allowed.test(line)))).toEqual([]);
  });
});
