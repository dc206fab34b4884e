import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { AttentionShape } from "../../src/attention/shape.js";
import { tensorBytes } from "../../src/emulator/validate.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { bytes } from "../../src/report/units.js";
import { announce } from "../announce.js";
import { type Chosen, chosenArithmetics, ownFile } from "../numerics/arithmetics.js";
import { type Asked, askedAttention, attentionWords, maskWords } from "../numerics/attention.js";
import { Arithmetics, Files, Generated, Model } from "../numerics/choices.js";
import { runCommand, runOfDesignCommand } from "../numerics/command.js";
import { DesignOfRun, designOf, designSettings } from "../numerics/design-of-run.js";
import { pinnedTable } from "../numerics/figures.js";
import { Masks } from "../numerics/masks.js";
import { mostTensorBytes, problemOf } from "../numerics/request.js";
import { ErrorMap, Histogram, Results } from "../numerics/results.js";
import { cancelRun, type Dropped, type Result, session, startRuns, type Wanted } from "../numerics/session.js";
import { differences, settingsOf } from "../numerics/settings.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Choice, LogSlider } from "../parts/inputs.js";
import { Pin } from "../parts/pin.js";
import { save } from "../parts/save.js";
import { Sheet } from "../parts/sheet.js";
import { anyArray, noModel, pinnedOf, type State, writeSize } from "../state.js";
import { useStore } from "../store.js";
import type { PanelProps } from "./props.js";

/** Operations, 2 E + 2 F for each score, that are run without being asked for. */
const mostUnasked = 2 ** 28;

export function NumericsPanel(props: PanelProps) {
  const { state } = props;
  const { results, dropped, maskFiles, step, failure } = useStore(session);
  const [shown, show] = useState<string | null>(null);
  const chosen = chosenArithmetics(state);
  const asked = askedAttention(state, { shape: dropped?.shape ?? null, maskFiles });
  const wanted = wantedRuns(state, asked, chosen.arithmetics, dropped);
  const run = () => startRuns(wanted, tell);
  useEffect(() => {
    const isSmall = !("wrong" in asked) && operationsOf(asked.workload.shape) <= mostUnasked;
    if (isSmall && state.engine === "auto" && results.length === 0 && step === null && failure === null) run();
  }, []);
  const result = results.find(({ arithmetic }) => arithmetic === shown) ?? results[0];
  const now = wanted.map(({ settings }) => settings);
  const stale = result === undefined || "wrong" in asked ? null : differences(result.settings, now);
  return (
    <div class="panel">
      <Controls {...props} chosen={chosen} asked={asked} run={run} />
      <div class={stale === null ? "charts" : "charts stale"} id="charts" tabIndex={-1}>
        <p class="lead wide">
          The emulator computes attention as FuseMax's processing elements do: the same tiles, the same arithmetic, each
          operation rounded as the hardware rounds it. It runs here, on your GPU, or in WebAssembly on your processor,
          and gives the same bits on both, which are those of the command line. Choose a model or sizes of your own, a
          mask and one or more arithmetics, and press Run: how far is each from float64, and where?
        </p>
        <NotesOfRuns results={results} />
        {(result !== undefined || step === null) && <Pinned {...props} results={results} />}
        {result !== undefined && (
          <>
            <Results results={results} shown={result} show={show} stale={stale} />
            <ErrorMap outcome={result} />
            <Histogram outcome={result} />
          </>
        )}
        {/* Not before the results that are on their way, which would push it down. */}
        {(result !== undefined || step === null) && !("wrong" in asked) && (
          <Commands {...props} chosen={chosen} files={dropped?.options ?? null} />
        )}
      </div>
    </div>
  );
}

/** The runs that the settings ask for; none where they are wrong. */
const wantedRuns = (
  state: State,
  asked: Asked,
  arithmetics: readonly ArithmeticSpec[],
  dropped: Dropped | null,
): readonly Wanted[] =>
  "wrong" in asked
    ? []
    : arithmeticsOf(state, arithmetics).map(arithmetic => {
        const { engine, seed, spread } = state;
        const { masks, leftOut, workload } = asked;
        const { valuesInKeys } = workload;
        const problem = problemOf(state, asked, arithmetic);
        const files = dropped?.files ?? null;
        return {
          request: { problem, design: designOf(state), engine, seed, spread, files, masks, leftOut, valuesInKeys },
          settings: { ...settingsOf(state, asked, arithmetic, dropped), ...designSettings(state) },
        };
      });

/** A design's run is in its own arithmetic, whichever is asked for beside it. */
const arithmeticsOf = ({ runDesign }: State, arithmetics: readonly ArithmeticSpec[]): readonly ArithmeticSpec[] =>
  runDesign === anyArray ? arithmetics : arithmetics.slice(0, 1);

/** Operations of the two products, 2 E + 2 F for each score. */
const operationsOf = ({ heads, queries, keys, headDim, valueDim }: AttentionShape): number =>
  2 * (headDim + valueDim) * queries * keys * heads;

const tell = (results: readonly Result[]): void =>
  announce(
    results
      .map(
        ({ arithmetic, error, sha256 }) =>
          `${arithmetic}: rms error ${error.rms.toExponential(2)}, sha256 ${sha256.slice(0, 8)}`,
      )
      .join("; "),
  );

/** The pinned settings' results beside those of now. */
function Pinned({ results, ...props }: PanelProps & { readonly results: readonly Result[] }) {
  const { state } = props;
  const kept = useStore(session).pinned;
  const pinned = useMemo(() => pinnedOf(state), [state.pin, state.pinnedOwn]);
  const table = useMemo(() => pinnedTable(results, kept), [results, kept]);
  return (
    <>
      <Pin
        {...props}
        pinned={pinned}
        words={wordsOf}
        on={what => {
          if (what === "swap") session.set({ results: kept, pinned: results });
          else session.set({ pinned: what === "pin" ? results : [] });
        }}
      />
      {pinned !== null &&
        (table.rows.length > 0 ? (
          <section class="card wide">
            <h2>Against the pinned settings</h2>
            <DataTable caption="Now and pinned" table={table} />
          </section>
        ) : (
          <p class="quiet wide">The pinned settings have not been run here: swap, run, and swap again.</p>
        ))}
    </>
  );
}

const wordsOf = (state: State): string => {
  const asked = askedAttention(state, { shape: null, maskFiles: [] });
  const of = "wrong" in asked ? asked.wrong : attentionWords(asked);
  return `${state.arithmetics.join(", ")}, ${writeSize(state.queries)} × ${writeSize(state.keys)}, seed ${state.seed}, ${state.m0} keys per tile; ${of}`;
};

interface CommandsProps extends PanelProps {
  readonly chosen: Chosen;
  readonly files: string | null;
}

function Commands({ state, chosen, files }: CommandsProps) {
  const isOwn = state.ownArithmetic !== "";
  if (state.runDesign !== anyArray) {
    return (
      <section class="card wide">
        <h2>The same run on the command line</h2>
        <p class="quiet">With the settings as they are now; it prints the sha256 of the same bits.</p>
        <Command command={runOfDesignCommand(state, files)} />
      </section>
    );
  }
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
  readonly asked: Asked;
  readonly run: () => void;
}

function Controls({ chosen, asked, run, ...props }: ControlsProps) {
  const { dropped, step } = useStore(session);
  const known = "wrong" in asked ? null : asked;
  const size = known === null ? 0 : tensorBytes(known.workload.shape);
  const tooLarge = size > mostTensorBytes;
  const busy = step !== null;
  const isWrong = chosen.wrong !== null && props.state.runDesign === anyArray;
  const cannot = tooLarge || known === null || isWrong;
  return (
    <Sheet
      label="What to run"
      onSubmit={() => {
        if (!cannot && !busy) run();
      }}
    >
      <Files />
      <Model {...props} />
      {known !== null && props.state.runModel !== noModel && <p class="quiet">{attentionWords(known)}</p>}
      {dropped === null && <Generated {...props} />}
      <Masks {...props} words={known === null ? null : maskWords(known.workload)} />
      <DesignOfRun {...props} />
      {props.state.runDesign === anyArray && (
        <>
          <LogSlider {...props} field="m0" label="Array rows (keys per tile)" least={1} most={1024} />
          <Arithmetics {...props} wrong={chosen.wrong} />
        </>
      )}
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
      <RunButtons cannot={cannot} wrong={"wrong" in asked ? asked.wrong : null} />
    </Sheet>
  );
}

/** Run and Cancel with the run's progress and its outcome, where the hand is. */
function RunButtons({ cannot, wrong }: { readonly cannot: boolean; readonly wrong: string | null }) {
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
      {[wrong, failure].map(
        words =>
          words !== null && (
            <p key={words} class="wrong" role="alert">
              {words}
            </p>
          ),
      )}
      {step === null && failure === null && wrong === null && last !== undefined && (
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
