import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { RowRange } from "../../attention/rows.js";
import type { Complaint } from "../../errors.js";
import type { RowBlock } from "../engine.js";

/** What the engine tells a worker. */
export type ToWorker =
  | { readonly type: "load"; readonly module: WebAssembly.Module }
  | {
      readonly type: "open";
      readonly session: number;
      readonly problem: AttentionProblem;
      readonly operands: Operands;
      /** About how many bytes the worker may take. */
      readonly budget: number;
      /** False to print FuseMax's own cascade as well. */
      readonly specialize: boolean;
      /** Not zero once the session is to stop; absent where memory cannot be shared. */
      readonly stop: Int32Array | null;
    }
  | { readonly type: "run"; readonly session: number; readonly range: RowRange }
  | { readonly type: "close"; readonly session: number };

/** What a worker answers to "run", in the order asked. `block` is null when the session was stopped on the way. */
export type FromWorker =
  | { readonly type: "done"; readonly block: RowBlock | null; readonly seconds: number }
  | { readonly type: "failed"; readonly message: string; readonly complaint: Complaint | null };
