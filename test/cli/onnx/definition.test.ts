import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Operands } from "../../../src/attention/problem.js";
import { tensorShapes, valuesOf } from "../../../src/attention/shape.js";
import { compareOutputs } from "../../../src/cli/onnx/outputs.js";
import { loadOperands } from "../../../src/cli/run/inputs.js";
import { planRun } from "../../../src/cli/run/plan.js";
import { emulateRows } from "../../../src/emulator/emulate.js";
import type { Engine } from "../../../src/emulator/engine.js";
import { formatOf } from "../../../src/numerics/format-of.js";
import type { OnnxComparison } from "../../../src/report/onnx-comparison.js";
import { engines } from "../../emulator/engines.js";
import { type Case, cases, make } from "./cases.js";
import { saveModel } from "./files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-onnx-definition-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What an engine gives for a case, beside what the definition says in float64. */
async function compared(one: Case, engine: Engine): Promise<OnnxComparison & { readonly format: string | undefined }> {
  const { node, inputs, outputs } = make(one);
  const onnx = saveModel(folder, { opset: one.opset ?? 23, nodes: [node] }, inputs, outputs);
  const plan = await planRun({ onnx, design: "fusemax", engine: "cpu", check: "none" });
  const { problem, scoreOperands } = plan;
  const operands: Operands = { ...(await loadOperands(plan.pieces, problem, engine)).operands, ...scoreOperands };
  const sizes = tensorShapes(problem.shape).av;
  const av = new Float32Array(valuesOf(sizes));
  await emulateRows(problem, operands, {
    engine,
    onBlock: block => {
      av.set(block.av, block.range.start * problem.shape.valueDim);
    },
  });
  if (plan.onnx === null) throw new Error("no model");
  return { ...(await compareOutputs(plan, plan.onnx, operands, av)), format: formatOf(problem.arithmetic)?.name };
}

/**
 * The law: every part of ONNX's Attention, and what they do together, gives what the operator's text says, computed in float64:
 * to 1e-5 in fp32, and in 16 bits to the tolerance of ONNX's own tests.
 */
describe.each(engines.filter(({ name }) => name !== "webgpu with workgroup memory"))(
  "what a node of Attention gives, on $name",
  ({ open }) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());

    it.each(cases.map(one => [one.name, one] as const))("%s", async (_name, one) => {
      const { outputs, notCompared, format } = await compared(one, engine);
      expect(outputs.map(({ name, beyond, worst }) => ({ name, worst: beyond === 0 ? null : worst }))).toEqual(
        make(one).outputs.map(({ name }) => ({ name, worst: null })),
      );
      expect(notCompared).toEqual([]);
      expect(format).toBe({ float16: "fp16", bfloat16: "bf16" }[String(one.type)] ?? "fp32");
    });
  },
);
