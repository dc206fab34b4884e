import { DeviceError } from "../../errors.js";
import { programOf } from "../program-of.js";
import { BlockRunner } from "./block.js";
import { openKernels } from "./kernels.js";
import type { FromWorker, ToWorker } from "./messages.js";
import type { CompileWasm } from "./printed-passes.js";
import { ProgramRunner } from "./program-runner.js";

interface WorkerSession {
  readonly opened: Extract<ToWorker, { type: "open" }>;
  runner: Pick<BlockRunner, "run"> | null;
}

/** What computes the rows of a session: a printed program, or the kernels written by hand where they are for it. */
async function runnerOf(
  module: WebAssembly.Module,
  { problem, operands, budget, specialize }: WorkerSession["opened"],
  compile: CompileWasm | undefined,
): Promise<Pick<BlockRunner, "run">> {
  const program = programOf(problem, !specialize);
  if (program === null) return new BlockRunner(problem, operands, await openKernels(module, problem, budget));
  return new ProgramRunner(module, problem, operands, program, budget, compile);
}

/**
 * The inside of a worker, wherever it runs: gives the function that takes the engine's messages one after the other.
 * `answer` posts to the engine, handing over the listed buffers; `compile` compiles printed programs.
 */
export function workerInside(
  answer: (message: FromWorker, handOver: ArrayBuffer[]) => void,
  compile?: CompileWasm,
): (message: ToWorker) => Promise<void> {
  let module: WebAssembly.Module | null = null;
  const sessions = new Map<number, WorkerSession>();

  const run = async ({ session, range }: Extract<ToWorker, { type: "run" }>): Promise<void> => {
    const found = sessions.get(session);
    if (found === undefined || module === null) throw new Error(`session ${session} is not open`);
    const { stop } = found.opened;
    found.runner ??= await runnerOf(module, found.opened, compile);
    const startedAt = performance.now();
    const stopped = stop === null ? () => false : () => Atomics.load(stop, 0) !== 0;
    const block = found.runner.run(range, stopped);
    const seconds = (performance.now() - startedAt) / 1000;
    answer({ type: "done", block, seconds }, block === null ? [] : [block.av.buffer as ArrayBuffer]);
  };

  const take = async (message: ToWorker): Promise<void> => {
    if (message.type === "load") module = message.module;
    else if (message.type === "open") sessions.set(message.session, { opened: message, runner: null });
    else if (message.type === "close") sessions.delete(message.session);
    else await run(message);
  };

  let last = Promise.resolve();
  return message => {
    last = last
      .then(() => take(message))
      .catch(error => {
        const message = error instanceof Error ? error.message : String(error);
        answer({ type: "failed", message, complaint: error instanceof DeviceError ? error.complaint : null }, []);
      });
    return last;
  };
}
