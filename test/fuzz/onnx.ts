import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readAttentionModel } from "../../src/io/onnx/attention-node.js";
import { tensorOfBytes } from "../../src/io/onnx/tensor.js";
import { readIndex } from "../../src/io/safetensors-index.js";
import { invoke } from "../cli/invoke.js";
import { cases, make } from "../cli/onnx/cases.js";
import { saveModel } from "../cli/onnx/files.js";
import { modelProto, tensorProto } from "../io/onnx-files.js";
import { mutateBytes, mutateText } from "./mutate.js";
import { refusingInWords, type Target } from "./target.js";

/** Models and tensors whose bytes are changed: read alone, or run on their test data. */
export const onnxTarget: Target = {
  name: "ONNX",
  few: 60,
  attempt: async (random, folder) => {
    const one = random.pick(cases);
    const { node, inputs, outputs } = make(one);
    const model = { opset: one.opset ?? 23, nodes: [node] };
    if (random.once(2)) {
      const path = join(folder, "model.onnx");
      writeFileSync(path, mutateBytes(random, modelProto(model)));
      await refusingInWords(() => readAttentionModel(path));
      const tensor = tensorProto(random.pick(inputs), "x", random.once(2));
      await refusingInWords(async () => tensorOfBytes("input", mutateBytes(random, tensor)).load());
      return;
    }
    const changed = random.pick(inputs);
    const path = saveModel(folder, model, inputs, outputs, (at, tensor) => {
      const bytes = tensorProto(tensor, tensor.name);
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(`${at}.pb`, tensor === changed ? mutateBytes(random, bytes) : bytes);
    });
    const { code, stdout, stderr } = await invoke("run", "--onnx", path, "--engine", "cpu", "--json");
    // 1: an output that is not as expected, or has other values now.
    if (code === 2 ? stdout !== "" || !/^fusemax: [^\n]+\n$/.test(stderr) : code > 1) {
      throw new Error(`code ${code}: ${stderr}${stdout.slice(0, 200)}`);
    }
    if (code !== 2) JSON.parse(stdout);
  },
};

const index = {
  metadata: { total_size: 4 },
  weight_map: { "layers.0.q": "a-1.safetensors", "layers.0.k": "a-2.safetensors" },
};

export const indexTarget: Target = {
  name: ".safetensors.index.json",
  few: 60,
  attempt: async (random, folder) => {
    const path = join(folder, "model.safetensors.index.json");
    const words = ['"weight_map"', "{}", "[]", "null", '"../x.safetensors"', '"/dev/zero"', "1e999", '"__proto__"'];
    writeFileSync(path, mutateText(random, JSON.stringify(index), words));
    await refusingInWords(async () => {
      const { names, tensor } = readIndex(path);
      for (const name of names) await tensor(name);
    });
  },
};
