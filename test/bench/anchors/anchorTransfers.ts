// Other programs that move a file, and what Shoal shall be beside each of them.
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { Contender, Turn, Turns } from './contender.ts';
import { compared } from './contender.ts';
import type { Figure } from '../measure.ts';
import { secureCopy } from './secureCopy.ts';
import { syncthing } from './syncthing.ts';
import { makeTorrent, torrentClients, torrentContender } from './torrents.ts';

/** Pieces of the torrent: what libtorrent takes for a file of 1 GiB. */
const PIECE_BYTES = 1024 ** 2;

/** Those that are there or can be installed; a line for each that is not. */
export async function anchorsOf(processes: RealProcesses, source: string): Promise<readonly Contender[]> {
  const found: Contender[] = [];
  const add = async (name: string, start: () => Promise<Contender>): Promise<void> => {
    try {
      found.push(await start());
    } catch (error) {
      process.stdout.write(`skipped: ${name} (${((error as Error).message.split('\n')[0] ?? '').slice(0, 120)})\n`);
    }
  };
  for (const [name, start] of Object.entries(torrentClients)) {
    await add(name, async () =>
      torrentContender(processes, name, start, source, await makeTorrent(processes, source, PIECE_BYTES)),
    );
  }
  await add('Syncthing', () => syncthing(processes, source));
  await add('scp', () => secureCopy(processes, source));
  return found;
}

export function compareAnchors(ours: readonly Turn[], turns: Turns): readonly Figure[] {
  return [
    ...compared(ours, turns, 'libtorrent', { least: 2.2 }, { most: 0.5 }),
    ...compared(ours, turns, 'WebTorrent', { least: 3.5 }, { most: 0.28 }),
    ...compared(ours, turns, 'Syncthing', { least: 1.5 }, { most: 0.68 }),
    ...compared(ours, turns, 'scp', { least: 1.2 }),
  ];
}
