import { useId, useMemo, useState } from "preact/hooks";
import { cascadeGraph, passColour } from "../../src/report/cascade-graph.js";
import type { RankReport } from "../../src/report/passes.js";
import type { Table } from "../../src/report/table.js";
import { textOn } from "../../src/report/waterfall.js";
import type { Analysis } from "../cascade/analysis.js";
import { cascadeLibrary, titleOf } from "../cascade/library.js";
import { useAnalysis } from "../cascade/use-analysis.js";
import { Command } from "../parts/command.js";
import { Card } from "../parts/figure.js";
import { Choice, TextField } from "../parts/inputs.js";
import { save } from "../parts/save.js";
import { Sheet } from "../parts/sheet.js";
import { Term } from "../parts/term.js";
import { longestSource, type State, writeState } from "../state.js";
import { useTheme } from "../use-media.js";
import type { PanelProps } from "./props.js";

type Done = Extract<Analysis, { readonly report: unknown }>;

/** A larger graph is no longer a picture. */
const mostNodes = 120;
const ownFile = "cascade.txt";

export function CascadePanel(props: PanelProps) {
  const { state, change } = props;
  const library = cascadeLibrary.get(state.cascade) ?? "";
  // A text that is too long for a link lives here only, and so does an empty one: in a link it stands for the library's.
  const [unlinked, setUnlinked] = useState<string | null>(null);
  const text = unlinked ?? (state.source === "" ? library : state.source);
  const isOwn = text !== library;
  const analysis = useAnalysis(isOwn ? ownFile : state.cascade, text, state.shape);
  const isWrong = analysis !== null && "message" in analysis;
  const [last, setLast] = useState<Done | null>(null);
  if (analysis !== null && "report" in analysis && analysis !== last) setLast(analysis);
  const edit = (written: string, keep: boolean) => {
    const isLong = written.length > longestSource;
    setUnlinked(isLong || written === "" ? written : null);
    change({ source: isLong || written === library ? "" : written, laws: "" }, keep);
  };
  const choose: PanelProps["change"] = (part, keep) => {
    setUnlinked(null);
    change({ ...part, source: "", rank: "", laws: "" }, keep);
  };
  return (
    <div class="panel editing">
      <Sheet label="The cascade">
        <Choice
          {...props}
          change={choose}
          field="cascade"
          label="Library"
          options={[...cascadeLibrary.keys()].map(name => [name, titleOf(name)])}
        />
        <Editor text={text} edit={edit} analysis={analysis} isLong={text.length > longestSource} />
        <TextField {...props} field="shape" label="Sizes, for bytes and counts" unit="M=4096,P=1K" />
        {isOwn && (
          <div class="exports">
            <button type="button" onClick={() => edit(library, true)}>
              Back to the library's text
            </button>
            <button type="button" onClick={() => save(ownFile, "text/plain", text)}>
              Save {ownFile}
            </button>
          </div>
        )}
      </Sheet>
      <div class={isWrong ? "charts stale" : "charts"} id="charts" tabIndex={-1}>
        <p class="lead wide">
          A cascade of Einsums says what is computed, and not how. That alone tells how often a rank must be read from
          its beginning to its end, its passes, and what must be kept from one to the next. Choose a cascade, or type
          one of your own.
        </p>
        {isWrong && last !== null && <p class="quiet wide">What follows is of the text before it went wrong.</p>}
        {last === null ? <p class="quiet">Reading…</p> : <Passes {...props} analysis={last} text={text} />}
        {last !== null && (
          <section class="card wide">
            <h2>The same analysis on the command line</h2>
            <Command command={commandOf(state, isOwn)} />
            {unlinked === null && (
              <p>
                <a href={`#${writeState({ ...state, panel: "derive" })}`}>Derive fewer passes from it, law by law</a>
              </p>
            )}
          </section>
        )}
      </div>
    </div>
  );
}

const commandOf = ({ cascade, rank, shape }: State, isOwn: boolean): string =>
  [
    `npx fusemax passes ${isOwn ? ownFile : cascade}`,
    ...(rank === "" ? [] : [`--rank ${rank}`]),
    ...(shape.trim() === "" ? [] : [`--shape ${shape.replaceAll(" ", "")}`]),
  ].join(" ");

interface EditorProps {
  readonly text: string;
  readonly edit: (text: string, keep: boolean) => void;
  readonly analysis: Analysis | null;
  readonly isLong: boolean;
}

function Editor({ text, edit, analysis, isLong }: EditorProps) {
  const id = useId();
  const wrong = analysis !== null && "message" in analysis ? analysis : null;
  return (
    <div class="field">
      <label for={id}>Its text, one Einsum a line</label>
      <details class="quiet">
        <summary>How to read it</summary>
        <p>
          <code>SD[p] = SN[m,p]</code> sums SN over m, the index that the left side lacks;{" "}
          <code>GM[p] = QK[m,p] :: max(m)</code> takes the largest instead. An index stands for its rank: m runs over M.
          In attention M are keys, P queries, E and F the widths of keys and values. docs/cascades.md has the rest.
        </p>
      </details>
      <textarea
        id={id}
        name="source"
        rows={Math.min(30, Math.max(8, text.split("\n", 31).length))}
        spellcheck={false}
        wrap="off"
        value={text}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-said`}
        onInput={event => edit(event.currentTarget.value, false)}
        onChange={event => edit(event.currentTarget.value, true)}
      />
      <div id={`${id}-said`} role="status">
        {wrong !== null && (
          <>
            {wrong.excerpt !== null && <pre class="wrong excerpt">{wrong.excerpt}</pre>}
            <p class="wrong">{wrong.message}</p>
          </>
        )}
        {isLong && <p class="quiet">A text of over {longestSource} characters is no part of the link; save it.</p>}
      </div>
    </div>
  );
}

/** The rank that is looked at: the one asked for, else the text's own choice, else the one with the most passes. */
function shownRank({ report }: Done, wanted: string, text: string): string | null {
  const names = Object.keys(report.ranks);
  const own = /^#\s*sequence:\s*(\w+)/m.exec(text)?.[1] ?? "";
  if (!names.includes(wanted) && names.includes(own)) return own;
  const most = [...names].sort((a, b) => (report.ranks[b]?.passes ?? 0) - (report.ranks[a]?.passes ?? 0))[0];
  return names.includes(wanted) ? wanted : (most ?? null);
}

function Passes(props: PanelProps & { readonly analysis: Done; readonly text: string }) {
  const { state, analysis, text } = props;
  const name = shownRank(analysis, state.rank, text);
  const rank = name === null ? undefined : analysis.report.ranks[name];
  const theme = useTheme();
  const { graph, lines, report } = analysis;
  const style = useMemo(() => {
    const passOf = new Map((rank?.einsums ?? []).map(({ tensor, pass }) => [tensor, pass]));
    return { title: `${report.title ?? report.cascade}: passes over ${name}`, passOf, barriers: rank?.barriers ?? [] };
  }, [rank, report, name]);
  const drawn = graph.nodes.length <= mostNodes;
  const svg = useMemo(() => (drawn ? cascadeGraph(graph, { ...style, theme }) : ""), [drawn, graph, style, theme]);
  const passOf = (tensor: string) => style.passOf.get(tensor) ?? 1;
  if (name === null || rank === undefined) return <p class="quiet">This cascade has no Einsum over any rank.</p>;
  return (
    <>
      <section class="card wide">
        <h2>
          {rank.passes} {rank.passes === 1 ? "pass" : "passes"} over {name}
        </h2>
        <Ranks {...props} ranks={report.ranks} shown={name} />
        <p class="quiet">
          A <Term of="pass" /> reads a <Term of="fiber" />, all of a tensor along {name}, from its first element to its
          last. A new pass begins where an Einsum reads again what another had to read whole before; a stage, where it
          waits for a whole fiber without reading it again. Both hold for every mapping (FuseMax, section III).
          {rank.perIterationOf.length > 0 && ` Counted within each step of ${rank.perIterationOf.join(" and ")}.`}
        </p>
        <Einsums rank={rank} lines={lines} />
      </section>
      <section class="card wide">
        <h2>Why: what cannot be fused, and what must be kept</h2>
        {rank.barriers.length === 0 ? (
          <p>Nothing stands in the way: every Einsum may be fused with every other on {name}.</p>
        ) : (
          <ul data-barriers>
            {rank.barriers.map(({ before, after, why }) => (
              <li key={`${before} ${after}`}>
                {before} (pass {passOf(before)}) with {after} (pass {passOf(after)}): {why}.
              </li>
            ))}
          </ul>
        )}
        {rank.footprints.length > 0 && (
          <p data-footprints>
            Live between passes, whatever the mapping:{" "}
            {rank.footprints
              .map(
                ({ tensor, elements, bytes }) =>
                  `a fiber of ${tensor}, ${elements} elements${bytes === null ? "" : ` (${bytes} B)`}`,
              )
              .join("; ")}
            .
          </p>
        )}
      </section>
      <Card
        title="Its graph"
        svg={svg}
        exported={() => cascadeGraph(graph, style)}
        table={() => passTable(rank, lines)}
        file="cascade"
      >
        {drawn
          ? "Tensors from the inputs down, in the colour of the pass that makes them"
          : `Over ${mostNodes} tensors are not drawn`}
        ; broken thick lines are barriers, dotted ones go to the next step of an iteration. Sections III and IV.
      </Card>
    </>
  );
}

interface RanksProps extends PanelProps {
  readonly ranks: Readonly<Record<string, RankReport>>;
  readonly shown: string;
}

function Ranks({ ranks, shown, change }: RanksProps) {
  return (
    <div class="exports">
      {Object.entries(ranks).map(([name, { passes }]) => (
        <button key={name} type="button" aria-pressed={name === shown} onClick={() => change({ rank: name }, true)}>
          {name}: {passes}
        </button>
      ))}
    </div>
  );
}

function Einsums({ rank, lines }: { readonly rank: RankReport; readonly lines: Done["lines"] }) {
  const theme = useTheme();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table" aria-label="Einsums by pass" tabIndex={0}>
      <table data-passes>
        <thead>
          <tr>
            <th scope="col">pass</th>
            <th scope="col">stage</th>
            <th scope="col">Einsum</th>
          </tr>
        </thead>
        <tbody>
          {rank.einsums.map(({ tensor, pass, stage }) => {
            const background = passColour(theme, pass);
            return (
              <tr key={tensor}>
                <td>
                  <span class="chip" style={{ background, color: textOn(background) }}>
                    {pass}
                  </span>
                </td>
                <td>{stage}</td>
                <td>
                  <code>{lines[tensor] ?? tensor}</code>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

const passTable = (rank: RankReport, lines: Done["lines"]): Table => ({
  columns: ["pass", "stage", "tensor", "einsum"],
  rows: rank.einsums.map(({ tensor, pass, stage }) => [pass, stage, tensor, lines[tensor] ?? tensor]),
});
