// What stories about reading without downloading have in common: a file that somebody shares, some
// bytes of it, and what lies on the disk for it.
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { GROUP, NO_CALL, Town } from './town.ts';

export const MIB = 1024 * 1024;
export const PIECE = 512 * 1024;
const PREVIEWS = '/home/previews';

export const rowOf = async (person: Person, name: string): Promise<FileRow> =>
  person.engine.handlers.findFile({ group: GROUP, name }, NO_CALL);

/** Some bytes of a shared file, in one call. */
export async function read(
  person: Person,
  { name, root }: Pick<FileRow, 'name' | 'root'>,
  fromByte: number,
  bytes = PIECE,
  { path = '', signal = NO_CALL.signal } = {},
): Promise<Buffer> {
  return Buffer.from(
    (await person.engine.handlers.read({ group: GROUP, name, root, path, fromByte, bytes }, { signal })).raw,
  );
}

/** All of it, as a window does: some calls at a time. */
export async function readAll(person: Person, file: Pick<FileRow, 'name' | 'root'>, path = ''): Promise<Buffer> {
  const { sizeBytes } = await person.engine.handlers.read(
    { group: GROUP, ...file, path, fromByte: 0, bytes: 0 },
    NO_CALL,
  );
  const parts = Array.from({ length: Math.ceil(sizeBytes / PIECE) }, (_, n) => n * PIECE);
  const came: Buffer[] = [];
  for (let n = 0; n < parts.length; n += 4) {
    came.push(...(await Promise.all(parts.slice(n, n + 4).map((at) => read(person, file, at, PIECE, { path })))));
  }
  return Buffer.concat(came);
}

/** What lies on the disk of files that are read. */
export const left = async ({
  machine: {
    world: { disk },
  },
}: Person): Promise<readonly string[]> => ((await disk.stat(PREVIEWS)) ? disk.listFolder(PREVIEWS) : []);

export const limit = (person: Person, limits: { readonly down?: number; readonly up?: number }): void =>
  void person.engine.handlers.configure(
    {
      downLimitBytesPerS: limits.down,
      upLimitBytesPerS: limits.up,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    },
    NO_CALL,
  );

/** A file of chance bytes that somebody shares. */
export async function shared(
  sim: Simulation,
  person: Person,
  bytes: number,
  name = 'dump.sql',
): Promise<{ content: Buffer; row: FileRow }> {
  const content = sim.chance.bytes(bytes);
  await person.write(`/work/${name}`, content);
  await person.share(`/work/${name}`);
  return { content, row: await rowOf(person, name) };
}

/** A test for each seed, with two people in a group who have a folder to work in. */
export function story(
  title: string,
  tell: (sim: Simulation, town: Town, alice: Person, bob: Person) => Promise<void>,
  seeds: readonly number[] = [1, 2, 3],
): void {
  for (const seed of seeds) {
    it(`${title} (seed ${seed})`, () =>
      simulate(seed, async (sim) => {
        const town = await Town.build(sim);
        const [alice, bob] = [await town.person('alice'), await town.person('bob')];
        await town.group(alice, bob);
        for (const person of [alice, bob]) await person.machine.world.disk.makeFolder('/work');
        await tell(sim, town, alice, bob);
      }));
  }
}
