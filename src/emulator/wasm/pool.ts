import type { RowRange } from "../../attention/rows.js";
import { DeviceError } from "../../errors.js";
import type { RowBlock } from "../engine.js";
import type { WasmHost, WorkerThread } from "./host.js";
import type { ToWorker } from "./messages.js";

/** How often the same rows are given to another worker when one dies over them. */
const mostDeaths = 2;

/** What came of a job; `block` is null when its session was stopped. */
export interface Answer {
  readonly block: RowBlock | null;
  readonly seconds: number;
}

type OpenMessage = Extract<ToWorker, { type: "open" }>;

interface Job {
  readonly open: OpenMessage;
  readonly range: RowRange;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
}

interface Member {
  readonly thread: WorkerThread;
  readonly sessions: Set<number>;
  job: Job | null;
}

/**
 * Worker threads that take jobs, one at a time each; replaced when they die. They start with the pool: it takes them longer than a
 * small problem, so that a worker that starts for its first job delays the others.
 */
export class WorkerPool {
  private readonly members = new Set<Member>();
  private readonly waiting: Job[] = [];
  private closed = false;

  constructor(
    private readonly host: WasmHost,
    readonly size: number,
  ) {
    while (this.grow() !== null);
  }

  /**
   * Has rows computed by whichever worker is free next.
   * @throws DeviceError when workers keep dying over these rows.
   */
  run(open: OpenMessage, range: RowRange): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ open, range, resolve, reject, deaths: 0 });
      this.assign();
    });
  }

  /** Answers the jobs of a session that have not begun as stopped. */
  drop(session: number): void {
    for (const job of this.waiting.filter(({ open }) => open.session === session)) {
      this.waiting.splice(this.waiting.indexOf(job), 1);
      job.resolve({ block: null, seconds: 0 });
    }
  }

  closeSession(session: number): void {
    for (const member of this.members) {
      if (member.sessions.delete(session)) member.thread.post({ type: "close", session });
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const members = [...this.members];
    this.members.clear();
    await Promise.all(members.map(({ thread }) => thread.end()));
  }

  private assign(): void {
    while (this.waiting.length > 0 && !this.closed) {
      const member = [...this.members].find(({ job }) => job === null) ?? this.grow();
      if (member === null) return;
      const job = this.waiting.shift() as Job;
      member.job = job;
      const { session } = job.open;
      if (!member.sessions.has(session)) {
        member.sessions.add(session);
        member.thread.post(job.open);
      }
      member.thread.post({ type: "run", session, range: job.range });
    }
  }

  private grow(): Member | null {
    if (this.members.size >= this.size) return null;
    const thread = this.host.spawn();
    const member: Member = { thread, sessions: new Set(), job: null };
    this.members.add(member);
    thread.post({ type: "load", module: this.host.module });
    thread.onAnswer(answer => {
      const { job } = member;
      member.job = null;
      if (answer.type === "done") job?.resolve(answer);
      else job?.reject(new DeviceError(answer.complaint ?? lost(answer.message)));
      this.assign();
    });
    thread.onDeath(reason => {
      if (!this.members.delete(member)) return;
      const { job } = member;
      if (job !== null && job.deaths < mostDeaths) {
        job.deaths += 1;
        this.waiting.unshift(job);
      } else job?.reject(new DeviceError(lost(reason)));
      this.assign();
    });
    return member;
  }
}

const lost = (reason: string) => ({
  where: "engine wasm",
  got: `a worker thread that failed (${reason})`,
  expected: "workers that finish their rows",
  fix: "free some memory, or choose --engine cpu",
});
