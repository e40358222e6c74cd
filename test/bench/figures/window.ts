// What Shoal costs a VS Code window: its size, its activation, and how long it keeps the thread
// that all extensions share while 1 GiB is shared and downloaded. A real VS Code server with the
// packaged extension; measured inside the extension host by one more extension (probeMain.ts).
import { existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measureFilesView } from '../../support/filesViewCost.ts';
import { RealEngine } from '../../support/processes/realProcesses.ts';
import type { RealPair } from '../../support/processes/realProcesses.ts';
import { packExtension } from '../../vscode/driver/packExtension.ts';
import type { Person } from '../../vscode/people.ts';
import { People } from '../../vscode/people.ts';
import type { Figure } from '../measure.ts';
import { makeRandomFile, median, percentile, warmMemory } from '../measure.ts';
import { ask, blocksBetween, PROBE } from '../probe.ts';
import type { Activation, Blocks } from '../probeMain.ts';

const GIB = 1024 ** 3;
const OPENINGS = 30;
const ROUNDS = 2;
const GROUP = 'bench';
const CATALOGUE_FILES = 10_000;

/**
 * Only a VS Code whose extensions run on another machine looks for ports to forward: again and
 * again through all processes, on this very thread.
 */
const NO_PORT_SEARCH = { 'remote.autoForwardPorts': false };

export async function window(): Promise<readonly Figure[]> {
  const people = new People();
  try {
    const pair = await people.startPair();
    const probe = await packExtension(
      people.processes.makeFolder('package'),
      PROBE,
      fileURLToPath(new URL('../probeMain.ts', import.meta.url)),
    );
    const other = await people.processes.startEngine('other', pair.url);
    await other.signUp();
    await other.does('create_group', GROUP);
    const figures: Figure[] = [
      { name: 'size of the .vsix', value: statSync(await people.vsix).size / 1024, unit: 'KiB' },
      ...filesView(),
    ];
    for (const place of ['process', 'window'] as const) {
      const person = await settle(people, pair, other, place, probe);
      if (place === 'process') figures.push(...(await activations(person)));
      figures.push(...(await blocks(people, person, other, place)));
      await person.leave();
      rmSync(person.workspace, { recursive: true }); // some GiB
    }
    return figures;
  } finally {
    await people.close();
  }
}

/**
 * The rows of a large catalogue, in this process: what VS Code does with them is not our thread.
 */
function filesView(): readonly Figure[] {
  return [true, false].flatMap((flat) => {
    const cost = measureFilesView(CATALOGUE_FILES, flat);
    const figure = (name: string, value: number): Figure => ({
      name: `${CATALOGUE_FILES} files ${flat ? 'in one folder' : 'in 100 folders'}: ${name}, CPU`,
      value,
      unit: 'ms',
    });
    return [
      figure('from the catalogue to the first rows', cost.firstRowsMs),
      figure('one file more', cost.newFileMs),
      figure('a hundred with other seeders', cost.presenceMs),
      figure('a letter in Go to Shared File', cost.searchMs),
    ];
  });
}

/**
 * Somebody in the group, with a window that does not show Shoal's views yet: so it is activated
 * when VS Code has started, which is the usual case.
 */
async function settle(
  people: People,
  pair: RealPair,
  other: RealEngine,
  place: 'process' | 'window',
  probe: string,
): Promise<Person> {
  const name = `in-${place}`;
  const person = await people.settle(name, {
    settings: { 'shoal.tracker': pair.url, 'shoal.engine': place, ...NO_PORT_SEARCH },
    extensions: [probe],
  });
  const here = new RealEngine(people.processes, name, person.home, pair.url);
  await here.signUp();
  await here.does('join_group', GROUP);
  await other.does('accept_request', GROUP, name);
  if (place === 'window') await here.does('stop'); // so that the window has to run it
  await person.openWindow();
  await isUp(person);
  return person;
}

const isUp = (person: Person): Promise<unknown> =>
  person.window.until(
    'the account in the status bar',
    () => person.window.statusBarItem(`Shoal: ${person.name}`),
    60_000,
  );

async function activations(person: Person): Promise<readonly Figure[]> {
  const all: Activation[] = [];
  while (all.length < OPENINGS) {
    all.push(await ask(person, 'activation', () => person.window.reload()));
    await isUp(person);
  }
  const figure = (name: string, of: (one: Activation) => number): Figure => {
    const values = all.map(of);
    return { name, value: percentile(values, 0.99), unit: 'ms', note: `p50 ${median(values).toFixed(1)}` };
  };
  return [
    figure(`activation, p99 of ${OPENINGS}: CPU`, ({ load, call }) => load.cpuMs + call.cpuMs),
    figure('  by the clock, while the window opens', ({ load, call }) => load.ms + call.ms),
    figure('  of it loading the code', ({ load }) => load.ms),
    figure('  of it the call of activate()', ({ call }) => call.ms),
  ];
}

/** Rounds of sharing and downloading, each followed by as much time in which nothing happens. */
async function blocks(people: People, person: Person, other: RealEngine, place: string): Promise<readonly Figure[]> {
  await person.window.openView('Shoal'); // its views are part of what is measured
  const [busy, idle]: [Blocks[], Blocks[]] = [[], []];
  for (let n = 0; n < ROUNDS; n++) {
    const [mine, theirs] = [`mine-${place}-${n}`, `theirs-${place}-${n}`];
    const source = path.join(people.processes.makeFolder('source'), theirs);
    makeRandomFile(source, GIB);
    makeRandomFile(path.join(person.workspace, mine), GIB);
    await other.connection.call('share', { group: GROUP, path: source, name: theirs, replace: false });
    await other.whole(theirs);
    await person.window.row('Files', theirs);
    warmMemory(people.processes.folder, 1.5 * GIB);

    await person.window.openView('Explorer');
    await person.window.until('the file in the explorer', async () =>
      (await person.window.explorerRows()).some(({ label }) => label === mine),
    );
    const shared = await blocksBetween(person, async () => {
      await person.window.explorerMenu(mine, 'Share File in Group…');
      await person.window.quickInputTitled('Share File in Group');
      await person.window.pick(GROUP);
      await person.window.openView('Shoal');
      await until(async () =>
        (await other.connection.call('listFiles', { group: GROUP, after: '' })).files.some(({ name }) => name === mine),
      );
      await person.window.rowAction('Files', theirs, 'Download File…');
      await until(() => existsSync(path.join(person.workspace, 'downloads', theirs)));
    });
    busy.push(shared);
    idle.push(await blocksBetween(person, () => pause(shared.seconds * 1000)));
  }
  const where = place === 'window' ? 'the window' : 'a process';
  const most = (all: readonly Blocks[], of: (one: Blocks) => number): number => Math.max(...all.map(of));
  const figure = (name: string, of: (one: Blocks) => number): Figure => ({
    name: `engine in ${where}: ${name}`,
    value: most(busy, of),
    unit: 'ms',
    note: `idle ${most(idle, of).toFixed(2)}`,
  });
  const [ownMs, seconds] = [
    busy.reduce((sum, one) => sum + one.ownMs, 0),
    busy.reduce((sum, one) => sum + one.seconds, 0),
  ];
  return [
    figure('longest block, CPU', ({ maxCpuMs }) => maxCpuMs),
    figure('longest block by the clock', ({ maxMs }) => maxMs),
    figure('p99 of blocks by the clock', ({ p99Ms }) => p99Ms),
    { name: `engine in ${where}: our code in each second`, value: ownMs / seconds, unit: 'ms/s' },
  ];
}

/**
 * Asks this side of the wall alone: looking at the page again and again would be work for the very
 * machine that is measured.
 */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(100);
}
