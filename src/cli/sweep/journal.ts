import type { SweepPoint } from "../../model/sweep.js";
import { type Journal, openJournal as open } from "../journal.js";
import type { SweepIdentity } from "./identity.js";

const kind = { schema: "fusemax.sweep-points/2", items: "points", work: "sweep" };

/** Opens a file of a sweep's finished points, or begins one. @throws InputError when it belongs to another sweep or can't be used. */
export const openJournal = (path: string, identity: SweepIdentity): Promise<Journal<SweepPoint>> =>
  open<SweepPoint>(kind, path, identity);
