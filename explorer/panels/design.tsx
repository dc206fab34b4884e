import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { announce } from "../announce.js";
import { costCommands } from "../cost/command.js";
import { Machine } from "../cost/machine.js";
import { solved } from "../cost/shares.js";
import { costTable } from "../cost/tables.js";
import { useCosts, type Wanted } from "../cost/use-costs.js";
import { problemsOf, workloadWords } from "../cost/words.js";
import { zipOf } from "../design/archive.js";
import type { Check, CheckRequest } from "../design/check.js";
import { changeTo, given } from "../design/edited.js";
import { Editor } from "../design/editor.js";
import { againstFigure } from "../design/figures.js";
import { fitsLink, longestDesignLink } from "../design/link.js";
import { allDesigns, argumentOf, designLabel } from "../design/names.js";
import { isDesignFile, type OwnDesign, ownFolder, ownName, ownPath, rootFile } from "../design/own.js";
import { copyOf, parts, withPart, withText } from "../design/start.js";
import { takeDesign } from "../design/take-files.js";
import { wholeText } from "../design/texts.js";
import { Command } from "../parts/command.js";
import { DataTable } from "../parts/data-table.js";
import { Chart } from "../parts/figure.js";
import { save } from "../parts/save.js";
import { longestSource, type State } from "../state.js";
import { useStore } from "../store.js";
import { useThread } from "../use-thread.js";
import type { PanelProps } from "./props.js";

const startWorker = () => new Worker(new URL("../design/worker.ts", import.meta.url), { type: "module" });

/** The settings under Cost that a check depends on. */
const settingsOf = ({ model, heads, headDim, valueDim, seq, batch, phase, masked }: State) =>
  [model, heads, headDim, valueDim, seq, batch, phase, masked].join();

export function DesignPanel(props: PanelProps) {
  const { state, change } = props;
  const copy = useMemo(() => copyOf("fusemax", wholeText), []);
  const own = state.own ?? copy;
  const check = useThread<CheckRequest, Check>(startWorker, { own, state }, `${own.id} ${settingsOf(state)}`, why => ({
    id: own.id,
    fault: { message: `Reading the files: ${why}`, file: null, line: 1, column: 1, excerpt: null },
  }));
  // A copy of what ships can be read; all else is checked first.
  const [good, setGood] = useState(state.own === null ? copy : null);
  if (check !== null && check.fault === null && check.id === own.id && good !== own) setGood(own);
  const to = (next: OwnDesign, keep: boolean, more: Partial<State> = {}) =>
    change({ ...changeTo(next, state), ...more }, keep);
  return (
    <div class="panel editing designing">
      <Files {...props} own={own} check={check} to={to} />
      <div class={good === own ? "charts" : "charts stale"} id="charts" tabIndex={-1}>
        <p class="lead wide">
          A design is a few files. The cascade says what is computed, the architecture on what hardware, the mapping in
          which tiles, the binding on which array, the schedule in which cycles, the arithmetic with which bits. Change
          any of them: what is wrong is shown at its line as you type, and what the design costs stands here, against
          the one that it began as. Nothing leaves this page.
        </p>
        {good === null ? (
          <p class="quiet wide">
            {check?.fault == null ? "Reading…" : "There is nothing to show until the files can be read."}
          </p>
        ) : (
          <Shown {...props} good={good} isPresent={good === own} check={check} />
        )}
        {good === null && check?.fault != null && <Take own={own} />}
      </div>
    </div>
  );
}

interface FilesProps extends PanelProps {
  readonly own: OwnDesign;
  readonly check: Check | null;
  readonly to: (next: OwnDesign, keep: boolean, more?: Partial<State>) => void;
}

/** What to begin with, the files, and the one that is looked at. */
function Files({ own, check, to, state, change }: FilesProps) {
  const id = useId();
  const names = Object.keys(own.files);
  const file = names.includes(state.file) ? state.file : rootFile;
  const fault = check === null || check.id !== own.id ? null : (check.fault ?? check.unfit);
  const missing = parts.filter(({ field, file }) => !names.includes(file) && !hasField(own, field));
  return (
    <section class="controls" aria-label="The design's files">
      <div class="field choice">
        <label for={id}>Begin with</label>
        <select
          id={id}
          name="base"
          value=""
          onChange={event => to(copyOf(event.currentTarget.value, wholeText), true, { file: rootFile })}
        >
          <option value="">
            {state.own === null ? "a copy of +Binding (FuseMax)" : `as it is, from ${designLabel(own.base, null)}`}
          </option>
          {allDesigns
            .filter(name => name !== ownName)
            .map(name => (
              <option key={name} value={name}>
                a copy of {designLabel(name, null)}
              </option>
            ))}
        </select>
      </div>
      <nav class="exports" aria-label="Files">
        {names.map(name => (
          <button key={name} type="button" aria-pressed={name === file} onClick={() => change({ file: name }, true)}>
            {name}
            {fault?.file === name && <span class="wrong"> wrong</span>}
          </button>
        ))}
        {missing.map(part => (
          <button
            key={part.file}
            type="button"
            onClick={() => to(withPart(own, part, wholeText), true, { file: part.file })}
          >
            Add {part.file}
          </button>
        ))}
      </nav>
      <Editor
        file={file}
        text={own.files[file] ?? ""}
        edit={(text, keep) => to(withText(own, file, text), keep)}
        fault={fault?.file === file ? fault : null}
        describedBy={`${id}-said`}
      />
      <div id={`${id}-said`} class="fault" role="status">
        {fault !== null && (
          <>
            {fault.excerpt !== null && <pre class="wrong excerpt">{fault.excerpt}</pre>}
            <p class="wrong">{fault.message}</p>
            {fault.file !== null && fault.file !== file && (
              <button type="button" onClick={() => change({ file: fault.file ?? rootFile }, true)}>
                Show {fault.file}
              </button>
            )}
          </>
        )}
        {fault === null && check?.id === own.id && <p class="quiet">The files can be read.</p>}
      </div>
      <Given {...{ state, change }} />
    </section>
  );
}

const hasField = ({ files }: OwnDesign, field: string): boolean =>
  new RegExp(`^${field}:`, "m").test(files[rootFile] ?? "");

/** Files of the visitor's in the place of these. */
function Given({ state, change }: PanelProps) {
  const id = useId();
  const { wrong } = useStore(given);
  return (
    <div class="field drop">
      <label for={id}>
        Your own files: a design's YAML with those that it names, or a .zip of them, chosen or dropped on the page
      </label>
      <input
        id={id}
        type="file"
        multiple
        accept=".yaml,.yml,.cascade,.txt,.zip"
        aria-describedby={wrong === "" ? undefined : `${id}-wrong`}
        onChange={event => {
          const files = [...(event.currentTarget.files ?? [])].filter(isDesignFile);
          if (files.length > 0) void takeDesign(files, state).then(part => change(part, true));
        }}
      />
      {wrong !== "" && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}

interface ShownProps extends PanelProps {
  /** The newest texts that could be read. */
  readonly good: OwnDesign;
  readonly isPresent: boolean;
  readonly check: Check | null;
}

/** What the design costs, against the one that it began as. */
function Shown({ state, change, good, isPresent, check }: ShownProps) {
  const { base } = good;
  const of = useMemo((): State => ({ ...state, own: good, designs: [base, ownName] }), [state, good]);
  const wanted = useMemo(
    () => [ownName, base].map((design): Wanted => ({ design, seq: state.seq })),
    [base, state.seq],
  );
  const costs = useCosts(of, wanted, nothing);
  const { points } = costs.now;
  const [own, other] = ["own", base].map(name => solved(points).find(({ design }) => design === name));
  const problems = problemsOf(points);
  const against = useMemo(
    () => (own === undefined || other === undefined ? null : againstFigure(own, other)),
    [own, other],
  );
  const workload = workloadWords(state);
  const context = { model: state.model, seq: state.seq };
  const sentence =
    own === undefined || other === undefined
      ? ""
      : `${own.label} takes ${(own.evaluation.latencySeconds / other.evaluation.latencySeconds).toPrecision(3)} times as long as ${other.label}`;
  const settled = !costs.busy && isPresent;
  useEffect(() => {
    if (settled && sentence !== "") announce(`${workload}: ${sentence}`);
  }, [settled, sentence, workload]);
  const unscheduled = check !== null && check.fault === null ? check.unscheduled : null;
  const openWith = (part: Partial<State>) => change({ ...changeTo(good, state), ...part }, true);
  const cascade = Object.entries(good.files).find(([name]) => /\.(cascade|txt)$/i.test(name))?.[1];
  return (
    <>
      <section class="card wide" aria-busy={costs.busy}>
        <h2>{designLabel(ownName, good)}</h2>
        {!isPresent && <p class="quiet">What follows is of the text before it went wrong.</p>}
        <p>
          {workload}, as set under Cost: {sentence === "" ? "…" : `${sentence}.`}
        </p>
        {problems.map(problem => (
          <p key={problem} class="notes">
            {problem}
          </p>
        ))}
        <p class="exports">
          <button type="button" onClick={() => openWith({ panel: "cost", designs: withOwn(state) })}>
            Compare it in Cost
          </button>
          <button type="button" onClick={() => openWith({ panel: "sweep", sweepDesign: ownName })}>
            Sweep it
          </button>
          <button
            type="button"
            disabled={unscheduled !== null}
            onClick={() => openWith({ panel: "schedule", design: ownName })}
          >
            Simulate its schedule
          </button>
          <button type="button" onClick={() => openWith({ panel: "numerics", runDesign: ownName })}>
            Run its numbers
          </button>
          {cascade !== undefined && cascade.length <= longestSource && (
            <button type="button" onClick={() => openWith({ panel: "cascade", source: cascade, rank: "" })}>
              See its passes
            </button>
          )}
        </p>
        {unscheduled !== null && <p class="quiet">It cannot be simulated: {unscheduled}</p>}
      </section>
      {/* Not before the costs are there, which would push it down. */}
      {(own !== undefined || problems.length > 0) && (
        <>
          {own !== undefined && <Machine of={own} state={of} context={context} />}
          {against !== null && (
            <Chart figure={against} context={context} file="against" stale={costs.now.stale}>
              Each bar is what {own?.label} costs over what {other?.label} costs; the dashed line is the same cost.
              Where nobody has published a figure there is no value.
            </Chart>
          )}
          <section class="card wide">
            <h2>The numbers</h2>
            <DataTable caption={`Cost of ${workload}`} table={costTable(points, state.scope)} />
            {costCommands(of).map(command => (
              <Command key={command} command={command} />
            ))}
          </section>
          <Take own={state.own ?? good} />
        </>
      )}
    </>
  );
}

const nothing: readonly Wanted[] = [];

const withOwn = ({ designs }: State): readonly string[] =>
  designs.includes(ownName) ? designs : [...designs, ownName];

/** The files to take away. */
function Take({ own }: { readonly own: OwnDesign }) {
  return (
    <section class="card wide">
      <h2>Take it with you</h2>
      <p>
        The archive holds the folder <code>{ownFolder}</code> with the files as they are;{" "}
        <code>{argumentOf(ownName)}</code> is the design, for every command that takes one.
      </p>
      <p class="exports">
        <button type="button" onClick={() => save(`${ownFolder}.zip`, "application/zip", zipOf(own))}>
          Save {ownFolder}.zip
        </button>
        {Object.entries(own.files).map(([name, text]) => (
          <button key={name} type="button" onClick={() => save(name, "text/plain", text)}>
            Save {name}
          </button>
        ))}
      </p>
      {!fitsLink(own) && (
        <p class="notes">
          The files take over {longestDesignLink} characters of a link: they are kept in this browser, and a copied link
          opens them here only. Save the archive to pass them on.
        </p>
      )}
      <Command command={`unzip ${ownFolder}.zip && npx fusemax model --design ${ownPath}`} />
    </section>
  );
}
