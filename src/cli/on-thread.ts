import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { threadsThatFit } from "../platform/address-space.js";

/**
 * Commands run on a thread of their own: most are one long loop after the other, so that the first thread hears Ctrl-C, and a
 * heap that fills up ends the command and not the program. Not these: they wait for devices, whose native code is the
 * first thread's, and for threads of their own.
 */
const onFirstThread: ReadonlySet<string> = new Set(["run", "invariance", "doctor"]);

/** A thread cannot run TypeScript: without a build all runs on the first. */
const file = new URL("./thread.js", import.meta.url);

export function runsOnThread(args: readonly string[]): boolean {
  const command = args.find(arg => !arg.startsWith("-"));
  return command !== undefined && !onFirstThread.has(command) && existsSync(file) && threadsThatFit() >= 1;
}

/** What the thread is told and what it answers. */
export interface ThreadData {
  readonly args: readonly string[];
  /** What the thread cannot see for itself. */
  readonly terminal: { readonly isTTY: boolean; readonly columns: number };
}
export type FromThread = { readonly code: number } | { readonly fault: Error } | "farewell";

/** How long an interrupted thread may take to put things in order. */
const farewellMilliseconds = 300;

export interface CommandThread {
  /** The exit code; rejected for a defect of the program. */
  readonly code: Promise<number>;
  /** Lets the thread put things in order if it listens; settles when it has, or soon. */
  readonly interrupt: () => Promise<void>;
}

/** Runs a command line on a thread of its own. */
export function startOnThread(args: readonly string[]): CommandThread {
  const { isTTY = false, columns = 80 } = process.stderr;
  const workerData: ThreadData = { args, terminal: { isTTY, columns } };
  const worker = new Worker(file, { workerData });
  const code = new Promise<number>((resolve, reject) => {
    let answer: Exclude<FromThread, "farewell"> | null = null;
    worker.on("message", (message: FromThread) => {
      if (message !== "farewell") answer = message;
    });
    worker.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ERR_WORKER_OUT_OF_MEMORY") return reject(error);
      process.stderr.write(
        "fusemax: memory: got a heap that is full; expected room for the command's objects; take smaller inputs, or raise --max-old-space-size (NODE_OPTIONS)\n",
      );
      resolve(2);
    });
    // What it has written has arrived by now.
    worker.on("exit", code => {
      if (answer === null) reject(new Error(`the command's thread ended with ${code}`));
      else if ("fault" in answer) reject(answer.fault);
      else resolve(answer.code);
    });
  });
  return {
    code,
    interrupt: async () => {
      code.catch(() => undefined);
      const said = new Promise<void>(done => {
        worker.on("message", message => message === "farewell" && done());
        worker.on("exit", () => done());
        setTimeout(done, farewellMilliseconds);
      });
      worker.postMessage("interrupt");
      await said;
    },
  };
}
