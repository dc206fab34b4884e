import type { AttentionProblem } from "../../src/attention/problem.js";
import { allRows } from "../../src/attention/rows.js";
import { rowsWithoutKeys } from "../../src/attention/visible.js";
import { fromFiles, fromSeed, loadOperands, withValuesInKeys } from "../../src/cli/run/inputs.js";
import { planesIn } from "../../src/cli/run/mask-planes.js";
import { checkOnOperands, sampleRows } from "../../src/emulator/check.js";
import { emulateRows } from "../../src/emulator/emulate.js";
import { FusemaxError } from "../../src/errors.js";
import { sha256OfValues } from "../../src/numerics/sha256.js";
import { messageOf } from "../message.js";
import { chooseEngine, openProcessor } from "./engines.js";
import { openFiles, openMask } from "./files.js";
import { problemOnDesign, wordsOfDesign } from "./on-design.js";
import { checkedRows, type FromRun, type RunOutcome, type RunRequest, type Step } from "./request.js";

/** A run in a thread of its own, so that the tab stays alive; the page ends the thread to cancel. */
addEventListener("message", ({ data }: MessageEvent<RunRequest>) => {
  run(data).then(
    outcome =>
      postMessage({ type: "done", outcome } satisfies FromRun, {
        transfer: [outcome.av.buffer, outcome.errors.buffer],
      }),
    (error: unknown) => {
      if (!(error instanceof FusemaxError)) console.error(error);
      const message = error instanceof FusemaxError ? messageOf(error) : `This run ended in an error: ${String(error)}`;
      answer({ type: "failed", message });
    },
  );
});

const answer = (message: FromRun): void => postMessage(message);
const say = (step: Step): void => answer({ type: "step", step });

async function run(request: RunRequest): Promise<RunOutcome> {
  const { engine: choice, seed, spread, files, valuesInKeys, leftOut } = request;
  const asked = await withMasks(request);
  const problem = request.design === null ? asked : problemOnDesign(asked, request.design);
  say({ what: "Testing the engine", share: 0 });
  const { engine, reason, notes: found } = await chooseEngine(choice, problem.arithmetic);
  const notes = [...found, ...(request.design === null ? [] : [wordsOfDesign(problem, request.design)])];
  const engineName = [engine.name, engine.adapter].filter(word => word !== null).join(" on ");
  say({ what: files === null ? "Making inputs" : "Reading the files", share: 0, engine: engineName });
  const generated = () => {
    const all = fromSeed(problem.shape, seed, spread);
    return valuesInKeys ? withValuesInKeys(all, problem.shape) : all;
  };
  const pieces = files === null ? generated() : fromFiles((await openFiles(files)).inputs);
  const { operands } = await loadOperands(pieces, problem, engine);
  const { valueDim } = problem.shape;
  const av = new Float32Array(allRows(problem).end * valueDim);
  const ran = await emulateRows(problem, operands, {
    engine,
    ...(choice === "auto" ? { fallback: () => openProcessor(problem.arithmetic, notes) } : {}),
    onFallback: lost => notes.push(`The GPU was lost on the way (${lost.message}); the rest ran without it.`),
    onBlock: ({ range, av: rows }) => av.set(rows, range.start * valueDim),
    onProgress: ({ rowsDone, rows }) => say({ what: "Emulating", share: rowsDone / rows, engine: engineName }),
  });
  const blind = rowsWithoutKeys(problem);
  if (blind > 0) notes.push(`${blind} queries see no key; their rows are zeros.`);
  if (leftOut !== null) notes.push(`${leftOut[0]?.toUpperCase()}${leftOut.slice(1)}.`);
  const rows = sampleRows(problem, checkedRows);
  const errors = new Float32Array(rows.length * valueDim);
  let at = 0;
  const error = await checkOnOperands(problem, operands, av, rows, {
    onRow: (_, got, exact) => {
      for (let f = 0; f < valueDim; f += 1) errors[at++] = Math.abs((got[f] as number) - (exact[f] as number));
    },
    onProgress: ({ rowsDone, rows }) =>
      say({ what: "Comparing with float64", share: rowsDone / rows, engine: engineName }),
  });
  return {
    arithmetic: problem.arithmetic.name,
    engine: {
      name: ran.engine.name,
      adapter: ran.engine.adapter,
      reason: ran.lost === null ? reason : "the GPU was lost",
    },
    notes,
    sha256: sha256OfValues(av),
    seconds: ran.seconds,
    gflops: ran.gflops,
    error,
    rows,
    errors,
    shape: problem.shape,
    av,
  };
}

/** The problem with the masks that are files. @throws InputError */
async function withMasks({ problem, masks }: RunRequest): Promise<AttentionProblem> {
  if (masks.length === 0) return problem;
  const loaded = await Promise.all(masks.map(openMask));
  return { ...problem, mask: { ...problem.mask, planes: planesIn(loaded, problem.shape) } };
}
