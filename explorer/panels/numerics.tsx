import { useEffect, useRef, useState } from "preact/hooks";
import { tensorBytes } from "../../src/emulator/validate.js";
import { bytes } from "../../src/report/units.js";
import { announce } from "../announce.js";
import type { PanelProps } from "../app.js";
import { type Chosen, chosenArithmetics, ownFile } from "../numerics/arithmetics.js";
import { Arithmetics, Files, Generated } from "../numerics/choices.js";
import { runCommand } from "../numerics/command.js";
import { mostTensorBytes, problemOf, shapeOf } from "../numerics/request.js";
import { ErrorMap, Histogram, Results } from "../numerics/results.js";
import { cancelRun, type Result, session, startRuns, type Wanted } from "../numerics/session.js";
import { differences, settingsOf } from "../numerics/settings.js";
import { Command } from "../parts/command.js";
import { Choice, LogSlider } from "../parts/inputs.js";
import { save } from "../parts/save.js";
import { Sheet } from "../parts/sheet.js";
import { useStore } from "../store.js";

/** Operations, 2 E + 2 F for each score, that are run without being asked for. */
const mostUnasked = 2 ** 28;

export function NumericsPanel(props: PanelProps) {
  const { state } = props;
  const { results, dropped, step, failure } = useStore(session);
  const [shown, show] = useState<string | null>(null);
  const chosen = chosenArithmetics(state);
  const wanted = chosen.arithmetics.map((arithmetic): Wanted => {
    const problem = problemOf(state, dropped?.shape ?? shapeOf(state), arithmetic);
    const { engine, seed, spread } = state;
    const request = { problem, engine, seed, spread, files: dropped?.files ?? null };
    return { request, settings: settingsOf(state, arithmetic, dropped) };
  });
  const run = () => startRuns(wanted, tell);
  useEffect(() => {
    const { queries, keys, runHeads, E, F, engine } = state;
    const isSmall = 2 * (E + F) * queries * keys * runHeads <= mostUnasked;
    if (isSmall && engine === "auto" && results.length === 0 && step === null && failure === null) run();
  }, []);
  const result = results.find(({ arithmetic }) => arithmetic === shown) ?? results[0];
  const now = wanted.map(({ settings }) => settings);
  const stale = result === undefined ? null : differences(result.settings, now);
  return (
    <div class="panel">
      <Controls {...props} chosen={chosen} run={run} />
      <div class={stale === null ? "charts" : "charts stale"} id="charts" tabIndex={-1}>
        <NotesOfRuns results={results} />
        {result === undefined ? (
          <section class="card wide">
            <h2>Every bit of the array</h2>
            <p>
              The emulator computes attention as FuseMax's processing elements do: the same tiles, the same arithmetic,
              each operation rounded as the hardware rounds it. It runs here, on your GPU, or in WebAssembly on your
              processor, and gives the same bits on both. Choose a workload and press Run.
            </p>
          </section>
        ) : (
          <>
            <Results results={results} shown={result} show={show} stale={stale} />
            <ErrorMap outcome={result} />
            <Histogram outcome={result} />
          </>
        )}
        {/* Not before the results that are on their way, which would push it down. */}
        {(result !== undefined || step === null) && (
          <Commands {...props} chosen={chosen} files={dropped?.options ?? null} />
        )}
      </div>
    </div>
  );
}

const tell = (results: readonly Result[]): void =>
  announce(
    results
      .map(
        ({ arithmetic, error, sha256 }) =>
          `${arithmetic}: rms error ${error.rms.toExponential(2)}, sha256 ${sha256.slice(0, 8)}`,
      )
      .join("; "),
  );

interface CommandsProps extends PanelProps {
  readonly chosen: Chosen;
  readonly files: string | null;
}

function Commands({ state, chosen, files }: CommandsProps) {
  const isOwn = state.ownArithmetic !== "";
  return (
    <section class="card wide">
      <h2>The same runs on the command line</h2>
      <p class="quiet">With the settings as they are now; each prints the sha256 of the same bits.</p>
      {state.arithmetics.map(name => (
        <Command key={name} command={runCommand(state, name, files)} />
      ))}
      {isOwn && chosen.wrong === null && (
        <>
          <Command command={runCommand(state, ownFile, files)} />
          <button type="button" onClick={() => save(ownFile, "text/yaml", state.ownArithmetic)}>
            Save {ownFile} for it
          </button>
        </>
      )}
    </section>
  );
}

interface ControlsProps extends PanelProps {
  readonly chosen: Chosen;
  readonly run: () => void;
}

function Controls({ chosen, run, ...props }: ControlsProps) {
  const { state } = props;
  const { dropped, step } = useStore(session);
  const size = tensorBytes(dropped?.shape ?? shapeOf(state));
  const tooLarge = size > mostTensorBytes;
  const busy = step !== null;
  const cannot = tooLarge || chosen.wrong !== null;
  return (
    <Sheet
      label="What to run"
      onSubmit={() => {
        if (!cannot && !busy) run();
      }}
    >
      <Files />
      {dropped === null && <Generated {...props} />}
      <Choice
        {...props}
        field="mask"
        label="Mask"
        options={[
          ["none", "none"],
          ["causal", "causal"],
        ]}
      />
      <LogSlider {...props} field="m0" label="Array rows (keys a tile)" least={1} most={1024} />
      <Arithmetics {...props} wrong={chosen.wrong} />
      <Choice
        {...props}
        field="engine"
        label="Engine"
        options={[
          ["auto", "GPU, if any"],
          ["webgpu", "WebGPU on anything"],
          ["wasm", "WebAssembly"],
          ["cpu", "plain JavaScript (slow)"],
        ]}
      />
      {tooLarge && (
        <p class="wrong" role="alert">
          Inputs and output take {bytes(size)}; a tab holds at most {bytes(mostTensorBytes)}. Use fewer heads, keys or
          queries.
        </p>
      )}
      <RunButtons cannot={cannot} />
    </Sheet>
  );
}

/** Run and Cancel with the run's progress and its outcome, where the hand is. */
function RunButtons({ cannot }: { readonly cannot: boolean }) {
  const { step, failure, results } = useStore(session);
  const button = useRef<HTMLButtonElement>(null);
  const busy = step !== null;
  const cancel = () => {
    cancelRun();
    button.current?.removeAttribute("disabled"); // else the focus is lost before the next drawing
    button.current?.focus();
  };
  const last = results.at(-1);
  return (
    <div class="run">
      <button ref={button} type="submit" disabled={cannot || busy}>
        Run
      </button>
      {step !== null && (
        <>
          <label class="progress">
            <span>
              {step.what}
              {step.engine !== undefined && <span class="unit"> ({step.engine})</span>}
            </span>
            <progress max={1} value={step.share} />
          </label>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </>
      )}
      {failure !== null && (
        <p class="wrong" role="alert">
          {failure}
        </p>
      )}
      {step === null && failure === null && last !== undefined && (
        <p class="quiet done">
          {results.length === 1 ? last.arithmetic : `${results.length} arithmetics`}: largest error{" "}
          {Math.max(...results.map(({ error }) => error.maxAbs)).toExponential(2)}
        </p>
      )}
    </div>
  );
}

function NotesOfRuns({ results }: { readonly results: readonly Result[] }) {
  const notes = [...new Set(results.flatMap(result => result.notes))];
  if (notes.length === 0) return null;
  return (
    <div class="notes wide" role="status">
      {notes.map(note => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}
