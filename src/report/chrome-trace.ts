import type { Timeline } from "../model/schedule/timeline.js";
import { arrayLabel } from "./waterfall.js";

/**
 * A timeline as Chrome trace JSON, which Perfetto opens. One process per array, one thread per interleaved stream (Perfetto
 * drops slices that overlap on a thread) and one for what the array waits for. A cycle is shown as a microsecond.
 * @example
 * ```ts
 * import { accountingOf, chromeTrace, compileDesign } from "fusemax";
 * import { loadDesign, loadWorkload, scheduleTimeline, sizesOf, specFiles } from "fusemax/node";
 *
 * const accounting = accountingOf("corrected", undefined);
 * const design = compileDesign(loadDesign(specFiles, "fusemax"), { corrections: accounting.corrections });
 * const sizes = sizesOf(loadWorkload(specFiles, "bert"), 4096);
 * const json = chromeTrace(scheduleTimeline(design, { sizes }, { first: 10, last: 11 }));
 * console.log(JSON.parse(json).traceEvents.length); // 32
 * ```
 */
export function chromeTrace(timeline: Timeline): string {
  const events: object[] = [];
  for (const [i, [array, waits]] of Object.entries(timeline.streams).entries()) {
    const pid = i + 1;
    const name = (kind: string, tid: number, label: string): object => ({
      ph: "M",
      name: kind,
      pid,
      tid,
      args: { name: label },
    });
    events.push(name("process_name", 0, arrayLabel(array)));
    for (let stream = 0; stream < waits; stream++) {
      events.push(name("thread_name", stream, `${arrayLabel(array)}, stream ${stream + 1}`));
    }
    events.push(name("thread_name", waits, `${arrayLabel(array)}, idle`));
    for (const slice of timeline.slices) {
      if (slice.array !== array) continue;
      const { einsum, letter, tile, head, m1, p, epoch, start, end, issued, stream } = slice;
      const args = { tile, head, m1, p, epoch, "cycles issued": issued };
      events.push({
        ph: "X",
        name: `${einsum}[${letter}]`,
        cat: einsum,
        pid,
        tid: stream,
        ts: start,
        dur: end - start,
        args,
      });
    }
    for (const { array: own, cause, start, end } of timeline.stalls) {
      if (own !== array) continue;
      events.push({ ph: "X", name: cause, cat: "idle", pid, tid: waits, ts: start, dur: end - start, args: { cause } });
    }
  }
  const { schedule, frequencyHz } = timeline;
  const otherData = { schedule: schedule.name, lags: schedule.lags, frequencyHz, "one microsecond": "one cycle" };
  const lines = events.map(event => JSON.stringify(event)).join(",\n");
  return `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData)},"traceEvents":[\n${lines}\n]}\n`;
}
