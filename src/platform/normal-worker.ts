import { parentPort } from "node:worker_threads";
import { generateNormal } from "../emulator/generate.js";
import type { NormalTask } from "./normal-pool.js";

/** A worker thread that makes generated inputs. */
if (parentPort === null) throw new Error("normal-worker is the inside of a worker thread");
const port = parentPort;
port.on("message", ({ seed, name, length, spread, start }: NormalTask) => {
  const values = generateNormal(seed, name, length, spread, start);
  port.postMessage(values, [values.buffer]);
});
