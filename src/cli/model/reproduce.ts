import { howMany, UsageError } from "../../errors.js";
import { csvText } from "../../io/csv.js";
import { writeFolder } from "../../io/folder.js";
import { specFiles } from "../../io/spec-files.js";
import type { Accounting } from "../../model/accounting.js";
import { accountingOf, accountingText, correctionNames, corrections } from "../../model/corrections.js";
import { type PaperEvaluation, paperEvaluation, type Studies } from "../../model/evaluation.js";
import { paperFigures } from "../../report/figures.js";
import { jsonText } from "../../report/finite.js";
import { against, type Headline, headlines, mean, publishedTables } from "../../report/reproduction.js";
import { headlineTable, searchGains } from "../../report/summary.js";
import { type Table, textTable } from "../../report/table.js";
import { parseName } from "../values.js";
import type { AccountingOptions } from "./options.js";

export interface ReproduceOptions extends AccountingOptions {
  readonly out: string;
  readonly mapping: Accounting["mapping"];
  readonly json?: boolean;
}

const studies = ["attention", "end-to-end", "pareto", "corrections", "all"] as const;
type Study = (typeof studies)[number];

/** Computes the asked-for study, writes its tables and figures and prints the summary. */
export async function runReproduce(name: string, options: ReproduceOptions): Promise<void> {
  const study = parseName("study", name, studies);
  if (study === "corrections") refuseUnused(options);
  const accounting = accountingOf(options.accounting, options.correct, options.mapping);
  const { files, summary, result } = study === "corrections" ? correctionsStudy() : paperStudy(study, accounting);
  await writeFolder(options.out, new Map([...files, ["summary.txt", summary]]));
  const json = { schema: "fusemax.reproduce/1", study, ...result, out: options.out, files: [...files.keys()] };
  process.stdout.write(
    options.json === true
      ? jsonText(json)
      : `${summary}\n${files.size} ${files.size === 1 ? "table" : "tables and figures"} in ${options.out}\n`,
  );
}

/** The study of the corrections takes each alone and all: there is nothing to choose. @throws UsageError */
function refuseUnused({ accounting, correct, mapping }: ReproduceOptions): void {
  const given = {
    "--accounting": accounting,
    "--correct": correct,
    "--mapping": mapping === "search" ? mapping : undefined,
  };
  const unused = Object.entries(given).find(([, value]) => value !== undefined);
  if (unused === undefined) return;
  const expected = "another study: this one takes each correction alone, and all, on the published mappings";
  throw new UsageError({ where: unused[0], got: "the study corrections", expected });
}

interface Report {
  readonly files: ReadonlyMap<string, string>;
  readonly summary: string;
  readonly result: Readonly<Record<string, unknown>>;
}

function paperStudy(study: Exclude<Study, "corrections">, accounting: Accounting): Report {
  const wanted: Studies = {
    attention: study !== "pareto",
    endToEnd: study === "all" || study === "end-to-end",
    pareto: study === "all" || study === "pareto",
  };
  const evaluation = paperEvaluation(specFiles, wanted, accounting);
  const counted = accountingText(accounting);
  const files = new Map<string, string>();
  for (const [name, table] of publishedTables(evaluation)) files.set(`${name}.csv`, csvText(table));
  for (const [name, svg] of paperFigures(evaluation, counted)) files.set(`${name}.svg`, svg);
  const found = headlines(evaluation);
  const parts = [`Accounting: ${counted}`];
  if (found.length > 0)
    parts.push(`Means over 24 points of FuseMax against a baseline\n\n${textTable(headlineTable(found))}`);
  const searched = accounting.mapping === "search" && wanted.attention;
  if (searched) parts.push(searchText(wanted, accounting, evaluation));
  return { files, summary: `${parts.join("\n\n")}\n`, result: { accounting: counted, headlines: found } };
}

function searchText(wanted: Studies, accounting: Accounting, evaluation: PaperEvaluation): string {
  const before = paperEvaluation(specFiles, { ...wanted, pareto: false }, { ...accounting, mapping: "published" });
  const { table, tried } = searchGains(before, evaluation);
  const space = `Exhaustive search over the splits of the free tiles: ${howMany(tried.toLocaleString("en-US"), "mapping")} compared`;
  return `${space}; where it beats the published mapping:\n\n${textTable(table)}`;
}

/** The headline numbers with each correction alone, and with all; +Cascade's beside them. */
function correctionsStudy(): Report {
  const runs: readonly (readonly [name: string, used: readonly string[]])[] = [
    ["published", []],
    ...correctionNames.map(name => [name, [name]] as const),
    ["all", correctionNames],
  ];
  const wanted: Studies = { attention: true, endToEnd: true, pareto: false };
  const rows = runs.map(([name, used]) => {
    const evaluation = paperEvaluation(specFiles, wanted, accountingOf(undefined, used));
    const cascade = against(evaluation, "cascade", "unfused", "attention");
    const found = headlines(evaluation).map(headline => [shortName(headline), headline.ours] as const);
    return {
      name,
      numbers: [
        ...found,
        ["+Cascade speedup", mean(cascade.speedup)],
        ["+Cascade energy", mean(cascade.energy)],
      ] as const,
    };
  });
  const columns = ["correction", ...(rows[0]?.numbers.map(([column]) => column) ?? [])];
  const table = (show: (value: number) => string | number): Table => ({
    columns,
    rows: rows.map(({ name, numbers }) => [name, ...numbers.map(([, value]) => show(value))]),
  });
  const legend = corrections.map(({ name, what, source }) => `  ${name}: ${what} (${source})`).join("\n");
  const title =
    "Means over 24 points with each correction alone, and with all: FuseMax against FLAT and Unfused in attention (att.)";
  const summary = `${title}\nand encoder layer (e2e); +Cascade against Unfused in attention\n\n${textTable(table(v => v.toPrecision(4)))}\n\n${legend}\n`;
  const result = { rows: rows.map(({ name, numbers }) => ({ name, ...Object.fromEntries(numbers) })) };
  return { files: new Map([["corrections.csv", csvText(table(v => v))]]), summary, result };
}

/** "attention speedup" against FLAT as a column's head. */
const shortName = ({ what, base }: Headline): string =>
  `${what.replace("attention", "att.").replace("end-to-end", "e2e")}/${base}`;
