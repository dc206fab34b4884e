import { availableParallelism } from "node:os";

// How many threads a command may keep busy: as many as there are cores for this process, or what the user says (--jobs). Set once
// a command line, in the thread that runs it.

let given: number | null = null;

/** @param jobs null for as many as there are cores */
export function limitJobs(jobs: number | null): void {
  given = jobs;
}

export const mostJobs = (): number => given ?? availableParallelism();
