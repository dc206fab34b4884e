import { shown } from "../src/errors.js";
import { largestSeed } from "../src/numerics/generated-normal.js";
import { loadWorkload } from "../src/spec/load.js";
import { phases } from "../src/spec/workload.js";
import { cascadeLibrary } from "./cascade/library.js";
import { designKeptHere, fitsLink, type KeptPlace, keptHere, packDesign, unpackDesign } from "./design/link.js";
import { allDesigns, isPaperDesign, scheduledDesigns } from "./design/names.js";
import { type OwnDesign, ownName } from "./design/own.js";
import { bundledSpecs } from "./specs.js";

/**
 * The whole state of the page, and how it is written in the address: `#1/cost?model=XLM&seq=64K`. Only what differs
 * from the default is written, so links stay short; the leading number is the version of the vocabulary.
 */
export const stateVersion = 1;

export const panels = ["cost", "sweep", "design", "cascade", "derive", "schedule", "numerics"] as const;
export type Panel = (typeof panels)[number];

/** How one value is read from and written to the address. `read` gives undefined for what it does not accept. */
interface Field<T> {
  readonly initial: T;
  /** What is allowed, in words, for the field's message. */
  readonly allowed: string;
  readonly read: (text: string) => T | undefined;
  readonly write: (value: T) => string;
}

const choice = <T extends string>(initial: T, all: readonly T[]): Field<T> => ({
  initial,
  allowed: `one of ${all.join(", ")}`,
  read: text => all.find(value => value === text.toLowerCase()),
  write: value => value,
});

const text = (initial: string, longest: number, pattern: RegExp): Field<string> => ({
  initial,
  allowed: `at most ${longest} characters`,
  read: value => (value.length <= longest && pattern.test(value) ? value : undefined),
  write: value => value,
});

/** A cascade's text that is longer stays out of the address: links of more are cut by what they pass through. */
export const longestSource = 6000;

/** Some of the names of `all`. */
const some = (all: readonly string[], initial = all): Field<readonly string[]> => ({
  initial,
  allowed: `some of ${all.join(", ")}`,
  read: value => {
    const items = value.toLowerCase().split(",");
    return items.every(item => all.includes(item)) ? [...new Set(items)] : undefined;
  },
  write: value => value.join(","),
});

/** A design of the visitor's own, or none. One that is too long for a link is kept in the browser. */
const own = (place: KeptPlace): Field<OwnDesign | null> => ({
  initial: null,
  allowed: "the files of a design",
  read: value => (value === "" ? null : value === keptHere ? designKeptHere(place) : unpackDesign(value)),
  write: value => (value === null ? "" : fitsLink(value) ? packDesign(value) : keptHere),
});

const number = (initial: number, least: number, most: number, whole: boolean): Field<number> => ({
  initial,
  allowed: `${whole ? "a whole number" : "a number"} from ${least} to ${most}`,
  read: value => {
    const parsed = value.trim() === "" ? Number.NaN : Number(value);
    return parsed >= least && parsed <= most && (!whole || Number.isInteger(parsed)) ? parsed : undefined;
  },
  write: value => String(value),
});

const count = (initial: number, least: number, most: number): Field<number> => number(initial, least, most, true);
const amount = (initial: number, least: number, most: number): Field<number> => number(initial, least, most, false);

const units: readonly (readonly [string, number])[] = [
  ["T", 2 ** 40],
  ["G", 2 ** 30],
  ["M", 2 ** 20],
  ["K", 2 ** 10],
];

/** 65536 -> "64K", as the command line writes sizes. */
export function writeSize(value: number): string {
  for (const [unit, factor] of units) if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
  return String(value);
}

/** "64K" -> 65536; undefined when it is no size. */
export function readSize(value: string): number | undefined {
  const match = /^(\d{1,15})([KMGT]?)$/i.exec(value.trim());
  if (match === null) return undefined;
  const factor = units.find(([unit]) => unit === (match[2] ?? "").toUpperCase())?.[1] ?? 1;
  const size = Number(match[1]) * factor;
  return Number.isSafeInteger(size) && size >= 1 ? size : undefined;
}

const size = (initial: number, least: number, most: number): Field<number> => ({
  initial,
  allowed: `a size from ${writeSize(least)} to ${writeSize(most)}, like 4096 or 64K`,
  read: value => {
    const parsed = readSize(value);
    return parsed !== undefined && parsed >= least && parsed <= most ? parsed : undefined;
  },
  write: writeSize,
});

/** The name by which the state calls sizes that are typed in. */
export const customModel = "custom";
/** The name by which Numerics calls sizes that are no model's. */
export const noModel = "none";

/** Runs that are of no design, but of the settings. */
export const anyArray = "array";

/** Settings that can be swept. */
const sweptFields = ["seq", "batch", "rows", "columns", "buffer", "bandwidth", "frequency"] as const;

/** Every field of the state with its default and its limits; the limits are what the page's inputs say is allowed. */
export const fields = {
  /** The settings that are shown beside, as an address; empty: none. */
  pin: text("", 1000, /^[\w/?=&.,%+-]*$/),
  /** The visitor's design as it was when they were pinned. A link leaves it out where it is the present one. */
  pinnedOwn: own("pinned"),
  /** The step of the story; 0: none. */
  story: count(0, 0, 12),
  // Cost
  model: choice("bert", [...bundledSpecs.names("workloads"), customModel]),
  /** The sizes of `customModel`. */
  heads: count(12, 1, 1024),
  headDim: count(64, 1, 1024),
  valueDim: count(64, 1, 1024),
  seq: size(65536, 16, 2 ** 30),
  /** What is counted of the model. */
  scope: choice("attention", ["attention", "layer"]),
  phase: choice("prefill", phases),
  /** Of the model: as it masks, or every query sees every key. */
  masked: choice("model", ["model", "none"]),
  batch: count(64, 1, 65536),
  designs: some(allDesigns, allDesigns.filter(isPaperDesign)),
  /** `default`: published for the paper's hardware, else corrected. */
  accounting: choice("default", ["default", "published", "corrected"]),
  rows: count(256, 8, 1024),
  columns: count(256, 8, 1024),
  /** Times each design's own buffer. */
  buffer: amount(1, 1 / 64, 64),
  bandwidth: amount(400, 25, 6400),
  frequency: amount(940, 100, 5000),
  // Sweep
  sweepX: choice("seq", sweptFields),
  sweepY: choice("rows", sweptFields),
  sweepShow: choice("latency", ["latency", "energy", "product", "busy", "traffic", "area"]),
  sweepDesign: choice("fusemax", allDesigns),
  // Design
  own: own("design"),
  /** The file that is looked at. */
  file: text("", 100, /^[\w. -]*$/),
  // Cascade
  cascade: choice("attention-3-pass", [...cascadeLibrary.keys()]),
  source: text("", longestSource, /^[^\0]*$/),
  rank: text("", 16, /^\w*$/),
  shape: text("", 200, /^[\w\s=,]*$/),
  // Derive
  /** Laws with the tensors that they rewrite, one after the other. */
  laws: text("", 3000, /^[\w.,-]*$/),
  // Schedule
  design: choice("fusemax", [...scheduledDesigns, ownName]),
  scheduleModel: choice("bert", ["bert", "trxl", "t5", "xlm"]),
  scheduleSeq: size(4096, 16, 2 ** 20),
  memory: choice("dram", ["dram", "ideal"]),
  ports: choice("unlimited", ["1", "2", "3", "4", "unlimited"]),
  epoch: count(4, 0, 1e9),
  epochs: count(8, 1, 48),
  array: count(4, 2, 8),
  cycle: count(20, 0, 399),
  // Numerics
  runModel: choice(noModel, [noModel, ...bundledSpecs.names("workloads")]),
  queries: size(256, 1, 2 ** 20),
  keys: size(1024, 1, 2 ** 24),
  runHeads: count(1, 1, 256),
  /** 0: as many as query heads. */
  kvHeads: count(0, 0, 256),
  E: count(64, 1, 1024),
  F: count(64, 1, 1024),
  /** `model`: as the model does, and none without one. */
  mask: choice("model", ["model", "none", "causal"]),
  /** Keys seen left and right of a query's own; empty: the model's. */
  window: text("", 40, /^[-\d,\s]*$/),
  /** Other masks, as the command line takes them, between blanks. Names of files are a part of commands. */
  masks: text("", 400, /^[\w\s:.,-]*$/),
  /** 0: the model's. */
  softcap: amount(0, 0, 2 ** 24),
  m0: count(256, 1, 65536),
  /** Whose cascade, tile and arithmetic are run; `array`: FuseMax's cascade, and what else is set. */
  runDesign: choice(anyArray, [anyArray, ...allDesigns]),
  /** What is computed in, side by side. */
  arithmetics: some(bundledSpecs.names("arithmetic"), ["bf16"]),
  /** The text of an arithmetic of the visitor's own; empty: none. */
  ownArithmetic: text("", longestSource, /^[^\0]*$/),
  spread: amount(1, 1e-6, 1e6),
  seed: count(0, 0, largestSeed),
  engine: choice("auto", ["auto", "webgpu", "wasm", "cpu"]),
} as const;

/** What fields were called in links of earlier pages. */
const formerNames: Readonly<Record<string, keyof typeof fields>> = { format: "arithmetics" };

type Fields = typeof fields;
export type State = { readonly [K in keyof Fields]: Fields[K] extends Field<infer T> ? T : never } & {
  readonly panel: Panel;
};
export type FieldName = keyof Fields;

const fieldNames = Object.keys(fields) as FieldName[];
const fieldOf = (key: FieldName): Field<unknown> => fields[key] as unknown as Field<unknown>;

export const initialState: State = {
  panel: "cost",
  ...Object.fromEntries(fieldNames.map(key => [key, fieldOf(key).initial])),
} as State;

/** The defaults of everything that is set, not made: the visitor's design stays. */
const { own: _own, file: _file, ...usual } = initialState;
export const usualSettings: Partial<State> = usual;

/** Settings of the hardware. Where they are the defaults, a design that is not the paper's has its own. */
export const hardware = ["rows", "columns", "buffer", "bandwidth", "frequency"] as const satisfies FieldName[];
export type Hardware = (typeof hardware)[number];

/** What the paper's accounting is not unasked: for hardware or a design that is not the paper's. */
export function countedAs(
  state: Pick<State, "accounting" | "designs" | Hardware>,
  designs: readonly string[] = state.designs,
): "published" | "corrected" {
  if (state.accounting !== "default") return state.accounting;
  const isPaper = designs.every(isPaperDesign) && hardware.every(field => state[field] === initialState[field]);
  return isPaper ? "published" : "corrected";
}

/** A state that exists, in the place of one that does not, and what was changed. */
export function settled(state: State): { readonly state: State; readonly notes: readonly string[] } {
  const owned = state.own === null ? withoutOwn(state) : state;
  if (owned.model === customModel) return { state: owned, notes: [] };
  const { name, phases: has } = loadWorkload(bundledSpecs, owned.model);
  const [first] = has;
  if (first === undefined || has.includes(owned.phase)) return { state: owned, notes: [] };
  return { state: { ...owned, phase: first }, notes: [`${name} has no ${owned.phase}; ${first} is shown.`] };
}

/** The state where there is no design of the visitor's: the defaults stand in its place. */
function withoutOwn(state: State): State {
  const { designs, sweepDesign, design, runDesign } = state;
  const left = designs.filter(name => name !== ownName);
  const chosen = [sweepDesign, design, runDesign];
  if (left.length === designs.length && !chosen.includes(ownName)) return state;
  return {
    ...state,
    designs: left.length === 0 ? initialState.designs : left,
    sweepDesign: sweepDesign === ownName ? initialState.sweepDesign : sweepDesign,
    design: design === ownName ? initialState.design : design,
    runDesign: runDesign === ownName ? initialState.runDesign : runDesign,
  };
}

/** Settings that are compared with: without others pinned, outside of the story, and without long texts. */
export const withoutPin = (state: State): State => ({
  ...state,
  ...{ pin: "", pinnedOwn: null, story: 0, source: "", laws: "", ownArithmetic: "", own: null },
});

/** The settings that are pinned, with the visitor's design as it was then, or null. */
export function pinnedOf({ pin, pinnedOwn }: Pick<State, "pin" | "pinnedOwn">): State | null {
  return pin === "" ? null : readState(pin, pinnedOwn).state;
}

/** The state as an address fragment, without the leading `#`. */
export function writeState(state: State): string {
  const query = new URLSearchParams();
  for (const key of fieldNames) {
    if (key === "pinnedOwn" && state.pinnedOwn === state.own) continue;
    const written = fieldOf(key).write(state[key]);
    if (written !== fieldOf(key).write(fieldOf(key).initial)) query.set(key, written);
  }
  const tail = query.toString().replaceAll("%2C", ",");
  return `${stateVersion}/${state.panel}${tail === "" ? "" : `?${tail}`}`;
}

const lostDesign = (written: string): string =>
  written === keptHere
    ? "The design of this link was too long for it; only the browser in which it was made has it."
    : "The link's design could not be read: it may have been cut on its way.";

/** The longest source, each character written as three escaped bytes, and all other fields. */
const longestFragment = 10 * longestSource;
/** What is wrong with a link is said so often. */
const mostNotes = 5;

/** Reads an address fragment; what it cannot read falls back to the default and is named in `notes`. @param own where it names none */
export function readState(
  fragment: string,
  own: OwnDesign | null = null,
): { readonly state: State; readonly notes: readonly string[] } {
  const notes: string[] = [];
  if (fragment === "") return { state: initialState, notes };
  if (fragment.length > longestFragment) {
    return {
      state: initialState,
      notes: [`This link is longer than ${longestFragment} characters; the defaults are shown.`],
    };
  }
  const match = /^(\d{1,6})\/(\w{1,40})(?:\?(.*))?$/s.exec(fragment);
  if (match === null) return { state: initialState, notes: ["This link could not be read; the defaults are shown."] };
  const [, version, panelText, query] = match;
  if (Number(version) !== stateVersion) {
    return {
      state: initialState,
      notes: [`This link is of version ${version}, the page of version ${stateVersion}; the defaults are shown.`],
    };
  }
  const panel = panels.find(known => known === panelText);
  if (panel === undefined) notes.push(`There is no page "${panelText}"; Cost is shown.`);
  const values: Record<string, unknown> = { ...initialState, own, panel: panel ?? "cost" };
  for (const [key, written] of new URLSearchParams(query ?? "")) {
    const known = fieldNames.find(field => field === (formerNames[key] ?? key));
    const value = known === undefined ? undefined : fieldOf(known).read(written);
    if (known === undefined) notes.push(`The link's "${key.slice(0, 40)}" is not known and was left out.`);
    else if (value === undefined && (known === "own" || known === "pinnedOwn")) notes.push(lostDesign(written));
    else if (value === undefined)
      notes.push(`The link's ${key} = "${written.slice(0, 40)}" is not allowed; the default is shown.`);
    else values[known] = value;
  }
  if (values["pin"] !== "") values["pinnedOwn"] ??= values["own"];
  const more = notes.length - mostNotes;
  const said = more > 0 ? [...notes.slice(0, mostNotes), `${more} more of the link could not be read.`] : notes;
  const { state, notes: changed } = settled(values as unknown as State);
  return { state, notes: [...said.map(note => shown(note)), ...changed] };
}
