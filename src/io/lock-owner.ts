import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a lock, as its file says. */
export interface LockOwner {
  readonly schema: "fusemax.lock/1";
  readonly host: string;
  /** The machine's start, a random number; "-" where there is no /proc. */
  readonly boot: string;
  /** The space of process numbers that `pid` is from, such as a container's. */
  readonly space: string;
  readonly pid: number;
  /** When the process started, which tells it from a later one with its number. */
  readonly start: string;
  /** Of this holding: no other ever has it. */
  readonly id: string;
}

/** This process, about to hold a lock. */
export function thisOwner(): LockOwner {
  return { schema, ...here(), pid: process.pid, start: startOf(process.pid), id: randomBytes(12).toString("hex") };
}

const schema = "fusemax.lock/1";

const here = () => ({
  host: hostname(),
  boot: orNone(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  space: orNone(() => readlinkSync("/proc/self/ns/pid")),
});

/**
 * Whether the process that a lock names lives: "elsewhere" for one of another machine, or of another space of process numbers,
 * which cannot be seen from here.
 */
export function stateOf(owner: LockOwner): "alive" | "dead" | "elsewhere" {
  const { host, boot, space } = here();
  if (owner.host !== host) return "elsewhere";
  if (owner.boot !== boot) return "dead"; // the machine has been started anew
  if (owner.space !== space) return "elsewhere";
  return isAlive(owner.pid) && startOf(owner.pid) === owner.start ? "alive" : "dead";
}

/** What the text of a lock says; "torn" for the beginning of one, null for something else. */
export function parseOwner(text: string): LockOwner | "torn" | null {
  const opening = `{"schema":"${schema}"`;
  try {
    const owner = JSON.parse(text) as LockOwner;
    if (owner.schema === schema && typeof owner.id === "string" && Number.isSafeInteger(owner.pid)) return owner;
    return null;
  } catch {
    return text.startsWith(opening) || opening.startsWith(text) ? "torn" : null;
  }
}

/** A name for a torn lock, which has none of its own. */
export const idOfTorn = (text: string, changed: number): string =>
  createHash("sha256").update(`${changed} ${text}`).digest("hex").slice(0, 24);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * When a process started, in clock ticks since the machine did; "-" for one that is dead and not yet reaped, and where there
 * is no /proc (proc(5), /proc/pid/stat).
 */
function startOf(pid: number): string {
  return orNone(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name, second of the fields, is in parentheses and may hold any character.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (state === "Z" ? undefined : fields[18]) ?? none;
  });
}

const none = "-";

function orNone(read: () => string): string {
  try {
    return read();
  } catch {
    return none;
  }
}
