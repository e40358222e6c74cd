// A pair of trackers: operations acknowledged per second beside a bare group commit, how long a
// person waits when the tracker in use dies, and what an operation costs that comes late.
import { acknowledged } from './acknowledged.ts';
import { failover } from './failover.ts';
import { late } from './late.ts';
import type { Figure } from '../measure.ts';

export async function pair(flags: ReadonlyMap<string, string>): Promise<readonly Figure[]> {
  return [...(await acknowledged()), ...(await failover()), ...(await late(Number(flags.get('late') ?? LATE_DEFAULT)))];
}

/**
 * How many operations stand behind the latest of the late ones, unless `--late=N` says otherwise.
 */
const LATE_DEFAULT = 100_000;
