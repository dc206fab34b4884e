/**
 * Changes one operator, comparison, condition, constant or call of the sources at a time and runs the tests that reach it:
 * what none of them notices survives (docs/testing.md). Tests and sources are bundled once, with all mutants in place, one
 * of them active at a time.
 *
 * `npm run test:mutants -- [GROUP…] [--files LIST] [--every N [--from K]] [--again FILE]`: all groups without a name; --files in
 * place of a group's sources; of the mutants each N-th, from the K-th on; those that survived by what an earlier run printed.
 * Prints survivors as they are found, then the share of mutants killed for each file. Those of scripts/mutants/equivalent.mjs
 * are not tried, and counted apart. Fails below 90%.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { bundle } from "./mutants/bundle.mjs";
import { reasonsOf } from "./mutants/equivalent.mjs";

const least = 0.9;

/**
 * Of sources that remember answers by design or cascade: a survivor is tried once more where nothing is remembered yet, as
 * `suite` says. A property takes some milliseconds of work, and all tests of a mutant together no longer than so many.
 */
const remembering = { cases: 200, milliseconds: 300, longest: 2500, anew: true };

/**
 * The second try: properties, with as many cases as the suite tries in so much time, then the quick tests, which have most
 * likely told before.
 */
const suite = { cases: 100_000, milliseconds: 1000, altogether: 15_000 };

const passes = ["passes", "barriers", "along-rank", "consumption", "dependence", "footprint", "bits", "origins"].map(
  name => `src/einsum/${name}.ts`,
);

/** Sources, the test files that are to notice a change in them, and the most cases of a property. */
const groups = {
  numerics: {
    cases: 300,
    sources: ["arithmetic", "block-sum", "dot", "exponential", "format-of", "limits", "mac-chains", "number-type"]
      .concat(["one-pass-choices", "pe", "quantize", "rounding", "scales", "single-rounding", "softcap"])
      .concat(["step-sums", "summation", "tolerance"])
      .map(name => `src/numerics/${name}.ts`),
    // Whole attentions, which reach it too, take long and are not asked.
    tests: ["test/numerics/*.test.ts"],
  },
  inputs: {
    cases: 100,
    // What makes inputs and hashes, and says where a value is.
    sources: ["coordinates", "generated-normal", "normal", "sha256", "threefry"].map(name => `src/numerics/${name}.ts`),
    tests: ["test/numerics/sha256.test.ts", "test/numerics/coordinates.test.ts", "test/emulator/generate.test.ts"],
  },
  passes: {
    cases: 20,
    sources: passes,
    tests: [
      "test/einsum/*passes*.test.ts",
      "test/einsum/aliases.test.ts",
      "test/einsum/bits.test.ts",
      "test/einsum/dependence.test.ts",
      "test/einsum/windows.test.ts",
      "test/einsum/language.test.ts",
    ],
  },
  model: {
    ...remembering,
    longest: 6000,
    sources: ["src/model/*.ts"],
    tests: [
      ...["across", "action-table", "any-nest", "arithmetic-cost", "array-use", "building-blocks", "by-hand"]
        .concat(["convolution-designs", "cost", "declare", "hardware", "invariants", "loop-nest", "mask-ranks"])
        .concat(["masked-cuts", "masks", "tiles-of-blocks", "timing"])
        .concat(["pareto-fronts", "partition", "points", "product-mapping", "published", "score-terms", "search"])
        .concat([
          "spread",
          "sweep",
          "symbols",
          "touched-points",
          "visible-region",
          "windows",
          "held-tiles",
          "walk-length",
          "patch",
          "refused",
          "check-machine",
          "figures",
          "corrections",
          "pareto",
          "visible-blocks",
        ])
        .map(name => `test/model/${name}.test.ts`),
      ...["bad-specs", "designs", "workloads"].map(name => `test/spec/${name}.test.ts`),
    ],
  },
  schedule: {
    ...remembering,
    longest: 4000,
    // Simulations against every cycle of random schedules: they tell the most.
    sharpest: /^law: takes the cycles, waits/,
    sources: ["src/model/schedule/*.ts"],
    // Those that simulate long runs of published designs are not asked: what they could kill, small machines do.
    tests: [
      "ahead",
      "correction",
      "derived",
      "every-cycle",
      "lags",
      "leap-steps",
      "leaps",
      "load-stream",
      "mask-of-bits",
      "of-design",
      "operations",
    ]
      .concat([
        "pass-on",
        "pipelined",
        "point-cycles",
        "program",
        "repetition",
        "simulate-design",
        "slots",
        "small-leaps",
        "spec-errors",
        "timeline",
        "upcoming",
      ])
      .concat(["walk", "work", "work-nests"])
      .map(name => `test/schedule/${name}.test.ts`),
  },
  mapper: {
    ...remembering,
    longest: 6000,
    sources: ["src/model/mapper/*.ts"],
    tests: ["test/model/mapper/*.test.ts", "test/model/mapper-rounds.test.ts", "test/model/mapper-simulated.test.ts"],
  },
  einsum: {
    ...remembering,
    sources: ["src/einsum/*.ts"],
    // The pass analysis has a group of its own.
    without: passes,
    tests: ["arithmetics", "axes", "equal", "evaluate", "format", "input-cases", "interpreter", "joint-shape"]
      .concat([
        "kept-language",
        "language",
        "limits",
        "operations",
        "pe-arithmetic",
        "roles",
        "scaled",
        "shape",
        "size",
      ])
      .concat(["source", "stream-plan", "traffic-bound", "windows"])
      .map(name => `test/einsum/${name}.test.ts`),
  },
  derive: {
    ...remembering,
    longest: 10_000,
    sources: ["src/einsum/derive/*.ts"],
    tests: ["answers", "change-reference", "defer-factor", "kept-answers", "kept-laws", "laws", "new-laws", "parts"]
      .concat(["reduce-in-two-steps", "search", "split-rank"])
      .map(name => `test/einsum/derive/${name}.test.ts`),
  },
};

/** A mutant that a few random cascades do not notice is rarely noticed by many. */
const env = { ...process.env, FUSEMAX_PASS_CASES: "60" };
delete env.FUSEMAX_MUTANT;

/** A process with the bundle: `ask` sends a line and gives the answer, or null where none comes in time. */
function start(file, { cases, milliseconds, altogether }, extra = {}) {
  const time = {
    ...(milliseconds === undefined ? {} : { FUSEMAX_MUTANT_MILLISECONDS: String(milliseconds) }),
    ...(altogether === undefined ? {} : { FUSEMAX_MUTANT_ALTOGETHER: String(altogether) }),
  };
  const own = { ...env, ...time, FUSEMAX_MUTANT_CASES: String(cases), ...extra };
  // A process with one mutant in it may end as it pleases.
  const errors = "FUSEMAX_MUTANT" in extra ? "ignore" : "inherit";
  const child = spawn(process.execPath, [file], { env: own, stdio: ["pipe", "pipe", errors] });
  const answers = [];
  let waiting = null;
  child.on("exit", () => setTimeout(() => waiting?.(null), 50));
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", line => {
    if (!line.startsWith("#mutants ")) return;
    const answer = JSON.parse(line.slice(9));
    if (waiting === null) answers.push(answer);
    else waiting(answer);
  });
  const next = milliseconds =>
    new Promise(done => {
      const finish = answer => {
        clearTimeout(timer);
        waiting = null;
        done(answer);
      };
      const timer = setTimeout(finish, milliseconds, null);
      waiting = finish;
      if (answers.length > 0) finish(answers.shift());
    });
  return { next, send: line => child.stdin.write(`${JSON.stringify(line)}\n`), end: () => child.kill("SIGKILL") };
}

async function study(
  name,
  { sources, without = [], tests, anew = false, longest = Infinity, sharpest: named = /^$/, ...effort },
  { every, from, again: printed },
) {
  // Of its own, so that runs may go side by side.
  const folder = resolve(".cache/mutants", `${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const { file, mutants: all } = await bundle(sources, without, tests, folder);
  const reasons = reasonsOf(all);
  const before = printed === undefined ? undefined : survivorsIn(printed, all);
  const mutants = all.filter((one, n) => (before === undefined ? n % every === from : before.has(one)));
  let child = start(file, effort);
  const first = await child.next(600_000);
  if (first === null) throw new Error("the bundle of tests ended without an answer");
  // Those that count how many of a property's cases there were, which are fewer here.
  for (const { name, error } of first.ran)
    if (error !== null) console.log(`left out: ${name}: ${error.split("\n")[0]}`);
  const loading = new Set(first.loading);
  const passing = first.ran.map((_, i) => i).filter(i => first.ran[i].error === null);
  const quickest = passing.sort((a, b) => first.ran[a].milliseconds - first.ran[b].milliseconds);
  const fileOf = new Map(all.map(({ id, file }) => [id, file]));
  const files = [...new Set(fileOf.values())];
  /** By test, how many mutants of each file it asks for. */
  const askedOf = new Map(
    passing.map(index => {
      const counts = new Map();
      for (const id of first.ran[index].asked) counts.set(fileOf.get(id), (counts.get(fileOf.get(id)) ?? 0) + 1);
      return [index, counts];
    }),
  );
  // Those that the group names first, then quick ones, and those of little else than the file: they tell a change best.
  const size = (index, file) => {
    const { name, milliseconds, asked } = first.ran[index];
    return named.test(name) ? 0 : (milliseconds * asked.length) / (askedOf.get(index).get(file) ?? 0);
  };
  const sharpestOf = new Map(
    files.map(file => {
      const own = passing.filter(index => askedOf.get(index).has(file));
      return [file, own.sort((a, b) => size(a, file) - size(b, file))];
    }),
  );
  // Of those that load anew for a mutant: those that reach its file, then quick tests, as many as take no longer than loading.
  const loadingAnew = new Map(
    files.map(file => {
      const quick = quickest.filter(index => first.ran[index].milliseconds < 50);
      const order = [...new Set([...sharpestOf.get(file), ...quick])];
      const enough = [];
      for (let milliseconds = 0; enough.length < order.length && milliseconds < 3000; ) {
        enough.push(order[enough.length]);
        milliseconds += first.ran[enough.at(-1)].milliseconds;
      }
      return [file, enough];
    }),
  );
  const reaching = new Map(mutants.map(({ id }) => [id, new Set()]));
  for (const index of passing) for (const id of first.ran[index].asked) reaching.get(id)?.add(index);
  /** By file, how many mutants a test has killed: it is asked first of the next. */
  const kills = new Map(files.map(file => [file, new Map()]));
  const orderOf = ({ id, file }) => {
    const before = kills.get(file);
    const reached = sharpestOf.get(file).filter(index => reaching.get(id).has(index));
    return reached.sort((a, b) => (before.get(b) ?? 0) - (before.get(a) ?? 0));
  };
  console.log(`${name}: ${mutants.length} mutants, ${first.ran.length} tests`);
  const results = [];
  for (const [n, one] of mutants.entries()) {
    const { id } = one;
    if (reasons.has(id)) {
      results.push({ ...one, status: "equivalent" });
      continue;
    }
    const early = loading.has(id);
    const asked = orderOf(one);
    const order = within(longest, asked, first.ran);
    let status = "not run";
    // What no test came to in few cases, one of the file may in many.
    let again = early || (anew && order.length === 0);
    if (order.length > 0) {
      child.send({ id, order });
      const answer = await verdict(child, order, first.ran);
      if (answer === null || answer.spoiled) child = await renewed(child, file, effort);
      status = answer === null ? "timeout" : answer.failed < 0 ? "survived" : "killed";
      again = answer?.spoiled === true || (status === "survived" && (early || anew));
      const own = kills.get(one.file);
      if (status === "killed") own.set(answer.failed, (own.get(answer.failed) ?? 0) + 1);
    }
    // What runs as modules load is in place from the beginning, for all tests.
    const isQuick = index => first.ran[index].milliseconds < 100;
    const own = order.length > 0 ? asked : sharpestOf.get(one.file);
    const late = anew ? [...own.filter(index => !isQuick(index)), ...own.filter(isQuick)] : order;
    const all = early ? within(longest, loadingAnew.get(one.file), first.ran) : late;
    if (again && (await alone(file, anew ? suite : effort, id, all, first.ran)) === "killed") status = "killed";
    else if (again && (early || order.length > 0)) status = "survived";
    results.push({ ...one, status });
    if (left(results.slice(-1)).length > 0) console.log(inWords(results.at(-1)));
    if (n % 100 === 99) console.log(`${n + 1} of ${mutants.length}, ${left(results).length} left`);
  }
  child.end();
  return results;
}

/** The first tests of an order that take no more than so many milliseconds, and one. */
function within(longest, order, ran) {
  let milliseconds = 0;
  const end = order.findIndex(index => {
    milliseconds += ran[index].milliseconds;
    return milliseconds > longest;
  });
  return end < 0 ? order : order.slice(0, end + 1);
}

/** What tests in an order say of a mutant; null where one of them does not end, with `more` milliseconds for each. */
async function verdict(child, order, ran, more = 0) {
  // By the clock: a test that hangs on a busy machine is told from one that waits for a processor.
  const longest = n => 10_000 + more + 20 * (ran[order[n]]?.milliseconds ?? 0);
  let answer = await child.next(longest(0));
  for (let n = 1; answer !== null && answer.passed !== undefined; n += 1) answer = await child.next(longest(n));
  return answer;
}

/** A new process in place of one that hangs, or holds what a mutant left. */
async function renewed(child, file, effort) {
  child.end();
  const fresh = start(file, effort, { FUSEMAX_MUTANTS_KNOWN: "1" });
  await fresh.next(600_000);
  return fresh;
}

/** A mutant in a process of its own. */
async function alone(file, effort, id, order, ran) {
  const child = start(file, effort, { FUSEMAX_MUTANT: String(id), FUSEMAX_MUTANT_TESTS: JSON.stringify(order) });
  const answer = await verdict(child, order, ran, 20_000 + (effort.altogether ?? 0));
  child.end();
  // No answer: it hangs, or the modules do not load, for which it had 20 s.
  return answer === null || answer.failed >= 0 ? "killed" : "survived";
}

/** Of some mutants those that survived by what a run printed, each at the nearest line where its like is by now. */
function survivorsIn(file, mutants) {
  const found = new Set();
  for (const text of readFileSync(file, "utf8").split("\n")) {
    const [, source, line, change] = /^(?:survived|not run) +([^:]+):(\d+) {2}(.*)$/.exec(text) ?? [];
    const alike = mutants.filter(one => one.file === source && `${one.before}  →  ${one.after}` === change);
    const far = one => Math.abs(one.line - Number(line));
    const nearest = Math.min(...alike.map(far));
    for (const one of alike) if (far(one) === nearest) found.add(one);
  }
  return found;
}

const inWords = ({ file, line, before, after, status }) => `${status}  ${file}:${line}  ${before}  →  ${after}`;
const left = results => results.filter(({ status }) => status === "survived" || status === "not run");

/** Prints the results of a group; gives the share killed. */
function print(name, results) {
  const line = (file, tried) => {
    const all = tried.filter(({ status }) => status !== "equivalent");
    const killed = all.length - left(all).length;
    const share = all.length === 0 ? 1 : killed / all.length;
    const equivalent = tried.length === all.length ? "" : `, and ${tried.length - all.length} equivalent`;
    const counts = `${String(killed).padStart(5)} of ${String(all.length).padStart(5)}`;
    console.log(`${file.padEnd(36)} ${counts}  ${(100 * share).toFixed(1)}%${equivalent}`);
    return share;
  };
  console.log(`\n${name}: mutants killed`);
  for (const file of new Set(results.map(({ file }) => file)))
    line(
      file,
      results.filter(one => one.file === file),
    );
  return line("all", results);
}

const options = {
  files: { type: "string" },
  every: { type: "string", default: "1" },
  from: { type: "string", default: "0" },
  again: { type: "string" },
};
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const unknown = positionals.find(name => !(name in groups));
if (unknown !== undefined || (values.files !== undefined && positionals.length !== 1)) {
  console.error(`expected groups among ${Object.keys(groups).join(", ")}, and one of them beside --files`);
  process.exit(2);
}
const shares = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(groups)) {
  const group = groups[name];
  const own = values.files === undefined ? group : { ...group, sources: values.files.split(",") };
  const which = { every: Number(values.every), from: Number(values.from), again: values.again };
  shares.push(print(name, await study(name, own, which)));
}
process.exit(shares.every(share => share >= least) ? 0 : 1);
