import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { announce } from "../announce.js";
import { cascadeLibrary, titleOf } from "../cascade/library.js";
import { fallCaption, fallFigure, stepCaption, stepsTable } from "../derive/figures.js";
import type { Derived } from "../derive/request.js";
import { DerivationSteps } from "../derive/steps.js";
import { type Derivation, useDerivation } from "../derive/use-derivation.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Chart } from "../parts/figure.js";
import { Choice } from "../parts/inputs.js";
import { save } from "../parts/save.js";
import { Sheet } from "../parts/sheet.js";
import { Term } from "../parts/term.js";
import { writeState } from "../state.js";
import type { PanelProps } from "./props.js";

const ownFile = "cascade.txt";
const derivedFile = "derived.cascade";

export function DerivePanel(props: PanelProps) {
  const { state, change } = props;
  const text = state.source === "" ? (cascadeLibrary.get(state.cascade) ?? "") : state.source;
  const name = state.source === "" ? state.cascade : ownFile;
  const laws = state.laws === "" ? [] : state.laws.split(",");
  const derivation = useDerivation({ name, text, rank: state.rank, laws });
  const { derived, checks, wrong } = derivation;
  const go = (keys: readonly string[]) => change({ laws: keys.join() }, true);
  const last = derived?.steps.at(-1);
  const words = derived === null || last === undefined ? "" : stepCaption(last, derived.rank);
  useEffect(() => {
    if (words !== "") announce(words);
  }, [words]);
  return (
    <div class="panel">
      <Sheet label="What to derive from">
        <Choice
          {...props}
          change={(part, keep) => change({ ...part, source: "", rank: "", laws: "" }, keep)}
          field="cascade"
          label="Cascade"
          options={[...cascadeLibrary.keys()].map(key => [key, titleOf(key)])}
        />
        {state.source !== "" && <p class="quiet">Changed under Cascade: {ownFile}.</p>}
        {derived !== null && <RankChoice {...props} derived={derived} />}
        {derived !== null && <Laws derived={derived} derivation={derivation} taken={laws} go={go} />}
      </Sheet>
      <div class={wrong === null ? "charts" : "charts stale"} id="charts" tabIndex={-1}>
        <p class="lead wide">
          The same function in fewer passes. Each law rewrites some lines of a cascade and keeps what leaves it. Go law
          by law, or take all that a search finds, and see the passes fall, and with them what must live in between.
        </p>
        {wrong !== null && (
          <div class="notes wide" role="alert">
            {wrong.excerpt !== null && <pre class="wrong excerpt">{wrong.excerpt}</pre>}
            <p class="wrong">{wrong.message}</p>
            <p>
              <a href={`#${writeState({ ...state, panel: "cascade" })}`}>Fix it under Cascade</a>
            </p>
          </div>
        )}
        {derived === null ? (
          wrong === null && <p class="quiet">Reading…</p>
        ) : (
          <>
            <Fall derived={derived} />
            <DerivationSteps derived={derived} checks={checks} />
            <Outcome {...props} derived={derived} name={name} />
          </>
        )}
      </div>
    </div>
  );
}

function RankChoice({ change, derived }: PanelProps & { readonly derived: Derived }) {
  const id = useId();
  return (
    <div class="field choice">
      <label for={id}>Rank</label>
      <select
        id={id}
        name="rank"
        value={derived.rank}
        onChange={event => change({ rank: event.currentTarget.value, laws: "" }, true)}
      >
        {derived.ranks.map(rank => (
          <option key={rank} value={rank}>
            {rank}
          </option>
        ))}
      </select>
    </div>
  );
}

interface LawsProps {
  readonly derived: Derived;
  readonly derivation: Derivation;
  readonly taken: readonly string[];
  readonly go: (keys: readonly string[]) => void;
}

/** The laws that apply now, and those that a search would take. */
function Laws({ derived, derivation, taken, go }: LawsProps) {
  const { searched, search, cancel } = derivation;
  const { laws, refusals, steps } = derived;
  // What applies: a link may name laws that no longer do.
  const held = taken.slice(0, steps.length - 1);
  const passes = steps.at(-1)?.passes ?? 0;
  const [said, say] = useState("");
  const ask = (most: number) =>
    search(keys => {
      say(keys.length === 0 ? "No law that is known leads to fewer passes from here." : "");
      if (keys.length > 0) go([...held, ...keys.slice(0, most)]);
    });
  return (
    <>
      <div class="exports">
        <button type="button" class="first" disabled={searched !== null} onClick={() => ask(1)}>
          Next law
        </button>
        <button type="button" disabled={searched !== null} onClick={() => ask(Number.POSITIVE_INFINITY)}>
          All of them
        </button>
        <button type="button" disabled={held.length === 0} onClick={() => go(held.slice(0, -1))}>
          Back
        </button>
        <button type="button" disabled={held.length === 0} onClick={() => go([])}>
          Start again
        </button>
      </div>
      <p class="quiet" role="status">
        {said}
      </p>
      {searched !== null && (
        <div class="exports">
          <label class="progress">
            Looking for the fewest passes
            <progress max={1} value={searched} />
          </label>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      <fieldset class="field laws">
        <legend>Laws that apply now</legend>
        {laws.length === 0 && <p class="quiet">None.</p>}
        {laws.map(({ name, statement, offers }) => (
          <div key={name}>
            <p title={statement}>{name}</p>
            {offers.map(({ key, words, passes: then, caution }) => (
              <button
                key={key}
                type="button"
                data-law={key}
                title={caution === null ? statement : `${statement}. Caution: ${caution}`}
                onClick={() => go([...held, key])}
              >
                {words}
                {then < passes && <strong> {then === 1 ? "1 pass" : `${then} passes`}</strong>}
              </button>
            ))}
          </div>
        ))}
      </fieldset>
      {refusals.length > 0 && (
        <details class="field">
          <summary>Laws that do not apply</summary>
          <ul class="plain">
            {refusals.map(({ law, tensor, reason }) => (
              <li key={`${law} ${tensor} ${reason}`}>
                {law}, {tensor}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      {derived.stopped !== null && (
        <p class="wrong" role="alert">
          {derived.stopped.replace(/-/g, " ").replace(".", ", ")}: this law does not apply here; what comes after it is
          left out.
        </p>
      )}
    </>
  );
}

function Fall({ derived }: { readonly derived: Derived }) {
  const figure = useMemo(() => fallFigure(derived), [derived]);
  return (
    <>
      <Chart figure={figure} file="derivation">
        {fallCaption(derived)} A <Term of="pass" /> reads all of {derived.rank}; what lives between passes is kept
        whole, whatever the mapping (FuseMax, section III). Laws keep the function: nothing that leaves the{" "}
        <Term of="cascade" /> changes.
      </Chart>
      <section class="card">
        <h2>Step by step</h2>
        <DataTable caption="Steps of the derivation" table={stepsTable(derived)} />
      </section>
    </>
  );
}

function Outcome({ state, derived, name }: PanelProps & { readonly derived: Derived; readonly name: string }) {
  const { text, steps, rank } = derived;
  const asCascade = writeState({ ...state, panel: "cascade", source: text, rank: "", laws: "" });
  return (
    <section class="card wide">
      <h2>The cascade as it is now</h2>
      <pre class="excerpt">{text}</pre>
      {steps.length > 1 && (
        <p class="exports">
          <a href={`#${asCascade}`}>Its passes and graph, under Cascade</a>
          <button type="button" onClick={() => save(derivedFile, "text/plain", `${text}\n`)}>
            Save {derivedFile}
          </button>
        </p>
      )}
      <h2>The best derivation on the command line</h2>
      <Command command={`npx fusemax derive ${name} --rank ${rank}`} />
    </section>
  );
}
