import { formats } from "fusemax";
import type { Engine } from "#fusemax/emulator/engine";
import type { AttentionInputs } from "#fusemax/emulator/operands";
import { lengthLabel } from "#fusemax/report/units";
import type { Engines } from "../sentence-encoder/engines.js";
import { type Part, shown } from "./part.js";
import type { Plan } from "./plan.js";
import { type Emulated, Subject } from "./subject.js";
import { randomSubject } from "./subjects.js";

const rows = 16;

/** Something that grows by doubling until a 16-bit accumulator overflows. */
interface Cause {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly written: (value: number) => string;
  readonly subject: (value: number) => Subject;
}

/** A random attention with other inputs in it. */
function changed(subject: Subject, change: (inputs: AttentionInputs) => Partial<AttentionInputs>): Subject {
  const { attention } = subject;
  return new Subject({ ...attention, inputs: { ...attention.inputs, ...change(attention.inputs) } });
}

const causes = (mostKeys: number): readonly Cause[] => [
  {
    name: "scores: Q spread so that scaled scores have this standard deviation, 4K keys",
    from: 16,
    to: 2 ** 15,
    written: String,
    subject: spread => randomSubject(4096, spread, "full", rows),
  },
  {
    name: "values: V normal times this, spread 1, 4K keys",
    from: 16,
    to: 2 ** 13,
    written: String,
    subject: size => changed(randomSubject(4096, 1, "full", rows), ({ v }) => ({ v: v.map(x => x * size) })),
  },
  {
    name: "values with a mean: V normal plus this, spread 0.25, 4K keys",
    from: 1,
    to: 2 ** 13,
    written: String,
    subject: mean => changed(randomSubject(4096, 0.25, "full", rows), ({ v }) => ({ v: v.map(x => x + mean) })),
  },
  {
    name: "length, equal scores (Q = 0), this many keys",
    from: 16384,
    to: mostKeys,
    written: lengthLabel,
    subject: keys => changed(randomSubject(keys, 1, "full", rows), ({ q }) => ({ q: q.map(() => 0) })),
  },
];

interface Finding {
  readonly cause: string;
  readonly value: string;
  readonly strict: Emulated;
  readonly wide: Emulated;
}

/** What binary16's range does: growing inputs until fp16-strict overflows, beside fp16 with fp32 sums; and values too small for it. */
export async function rangePart(plan: Plan, engines: Engines, note: (line: string) => void): Promise<Part> {
  const [{ engine: narrow }, { engine: wide }] = [await engines.of("fp16-strict"), await engines.of("fp16")];
  const both = async (subject: Subject, engine: readonly [Engine, Engine]) => ({
    strict: await subject.emulate(engine[0], formats["fp16-strict"], 256),
    wide: await subject.emulate(engine[1], formats.fp16, 256),
  });
  const findings: Finding[] = [];
  for (const { name, from, to, written, subject } of causes(plan.rangeKeys)) {
    note(`range: ${name}`);
    for (let value = from; value <= to; value *= 2) {
      const found = await both(subject(value), [narrow, wide]);
      findings.push({ cause: name, value: written(value), ...found });
      if (found.strict.overflowRows > 0) break;
    }
  }
  const small: Finding[] = [];
  for (const exponent of [0, -8, -12, -16, -20, -24]) {
    const subject = changed(randomSubject(4096, 1, "full", rows), ({ v }) => ({ v: v.map(x => x * 2 ** exponent) }));
    const found = await both(subject, [narrow, wide]);
    small.push({ cause: "small values", value: `2^${exponent}`, ...found });
  }
  return {
    name: "range",
    numbers: {
      columns: [
        "cause",
        "value",
        "strict_overflow_rows",
        "strict_tensor",
        "strict_rms",
        "fp16_overflow_rows",
        "fp16_rms",
      ],
      rows: [...findings, ...small].map(({ cause, value, strict, wide }) => [
        ...[cause, value, strict.overflowRows, strict.overflow ?? "", strict.onInputs.rms],
        ...[wide.overflowRows, wide.onInputs.rms],
      ]),
    },
    printed: [
      {
        heading:
          "fp16-strict: the last doubling without and the first with an overflow (16 rows); errors against the inputs as given",
        table: {
          columns: ["what grows", "without", "its error", "first with", "rows", "tensor", "fp16 there"],
          rows: causes(plan.rangeKeys).map(({ name }) => {
            const of = findings.filter(f => f.cause === name);
            const bad = of.find(f => f.strict.overflowRows > 0);
            const good = of.filter(f => f.strict.overflowRows === 0).at(-1);
            return [
              ...[name, good?.value ?? "-", shown(good?.strict.onInputs.rms ?? Number.NaN), bad?.value ?? "-"],
              ...[`${bad?.strict.overflowRows ?? 0}`, bad?.strict.overflow ?? "-"],
              shown((bad ?? good)?.wide.onInputs.rms ?? Number.NaN),
            ];
          }),
        },
      },
      {
        heading: "V normal times this, spread 1, 4K keys: relative rms error against the inputs as given",
        table: {
          columns: ["V times", "fp16", "fp16-strict"],
          rows: small.map(({ value, strict, wide }) => [value, shown(wide.onInputs.rms), shown(strict.onInputs.rms)]),
        },
      },
    ],
    figures: {},
  };
}
