import { onInterrupt } from "./interrupt.js";

/** How far a long piece of work has come, on stderr. */
export interface Progress {
  /** `done` of the total is finished. */
  update(done: number): void;
  stop(): void;
}

const silent: Progress = { update: () => undefined, stop: () => undefined };

export const progressStyles = ["auto", "plain", "none"] as const;
export type ProgressStyle = (typeof progressStyles)[number];

let style: ProgressStyle = "auto";

/** Set once a command line. */
export function showProgress(how: ProgressStyle): void {
  style = how;
}

/**
 * A bar with rate and time left while the terminal is watched; nothing when stderr is no terminal or `quiet` is set. A terminal
 * that knows no escape sequences (TERM=dumb), or is to get none (NO_COLOR), gets a line now and then; so does whatever stderr
 * is where that was asked for, a batch log say.
 * `start` is the part that was done before (a resumed run): it counts for the bar, not for the time left.
 */
export async function startProgress(
  task: string,
  unit: string,
  total: number,
  quiet: boolean,
  start = 0,
): Promise<Progress> {
  if (style === "plain") return lines({ task, unit, total, start, every: batchMilliseconds, ends: true });
  if (style === "none" || quiet || !process.stderr.isTTY) return silent;
  if (!takesEscapes()) return lines({ task, unit, total, start, every: plainMilliseconds, ends: false });
  const speed = speedFrom(start);
  const { default: cliProgress } = await import("cli-progress");
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: `${task} [{bar}] {percentage}% | {value}/{total} ${unit} | {rate} ${unit}/s | {left} left`,
    barCompleteChar: "=",
    barIncompleteChar: " ",
    clearOnComplete: true,
    hideCursor: true,
    fps: 5,
  });
  bar.start(total, start, { rate: "…", left: "…" });
  const stop = (): void => {
    forget();
    bar.stop();
  };
  const forget = onInterrupt(() => bar.stop());
  return {
    update(done) {
      if (done <= start) return;
      const perSecond = speed(done);
      const rate = perSecond < 100 ? perSecond.toPrecision(2) : Math.round(perSecond).toLocaleString("en-US");
      bar.update(done, { rate, left: secondsInWords((total - done) / perSecond) });
    },
    stop,
  };
}

const plainMilliseconds = 5000;
/** Of a log that is read afterwards. */
const batchMilliseconds = 30_000;

/** Units per second, of those after the first `start`. */
function speedFrom(start: number): (done: number) => number {
  const began = performance.now();
  return done => ((done - start) / (performance.now() - began)) * 1000;
}

interface Lines {
  readonly task: string;
  readonly unit: string;
  readonly total: number;
  readonly start: number;
  /** Milliseconds from one to the next. */
  readonly every: number;
  /** Whether the end is said. */
  readonly ends: boolean;
}

function lines({ task, unit, total, start, every, ends }: Lines): Progress {
  const began = performance.now();
  const speed = speedFrom(start);
  let saidAt = began;
  let last = start;
  const say = (done: number, more: string): void =>
    void process.stderr.write(`fusemax: ${task}: ${done} of ${total} ${unit}, ${more}\n`);
  return {
    update(done) {
      last = done;
      if (done <= start || performance.now() - saidAt < every) return;
      saidAt = performance.now();
      say(done, `${secondsInWords((total - done) / speed(done))} left`);
    },
    stop: () => {
      if (ends) say(last, secondsInWords((performance.now() - began) / 1000));
    },
  };
}

/** https://no-color.org: any value that is not empty. */
const takesEscapes = (): boolean => process.env["TERM"] !== "dumb" && (process.env["NO_COLOR"] ?? "") === "";

/** 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function secondsInWords(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
