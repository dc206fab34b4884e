import { tensorShapes } from "../../src/attention/shape.js";
import { outputFile } from "../../src/cli/run/output-file.js";
import { tensorFileKinds } from "../../src/io/tensor-file.js";
import { saveParts } from "../parts/save.js";
import { writtenName } from "./arithmetics.js";
import type { Result } from "./session.js";

/** AV as the files that `fusemax run --output` writes, byte by byte. */
export function Download({ result }: { readonly result: Result }) {
  const { av, shape, arithmetic } = result;
  return (
    <div class="exports">
      {tensorFileKinds.map(kind => (
        <button
          key={kind}
          type="button"
          onClick={() => {
            const rows = (from: number, to: number) => av.subarray(from * shape.valueDim, to * shape.valueDim);
            const parts = outputFile(kind, tensorShapes(shape).av, writtenName(arithmetic), rows, bhsd);
            saveParts(`av-${arithmetic.replace(/\W+/g, "-")}.${kind}`, parts);
          }}
        >
          Save AV as .{kind}
        </button>
      ))}
    </div>
  );
}

/** The command line's default. */
const bhsd = { layout: "bhsd", ranks: 4 } as const;
