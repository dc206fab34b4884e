/** How a signal ends a process: what it says, and its exit code as shells expect, 128 + the signal's number. */
export interface Ending {
  readonly code: number;
  readonly said: string;
}

const endings = {
  SIGINT: { code: 130, said: "interrupted" },
  SIGTERM: { code: 143, said: "terminated" },
  SIGHUP: { code: 129, said: "hung up" },
} as const satisfies Readonly<Partial<Record<NodeJS.Signals, Ending>>>;

/** Runs `end` at the first signal that asks the process to end; a second one ends it without. */
export function onEndingSignal(end: (ending: Ending) => void): void {
  let asked = false;
  for (const [signal, ending] of Object.entries(endings)) {
    process.once(signal, () => {
      if (asked) process.exit(ending.code);
      asked = true;
      end(ending);
    });
  }
}
