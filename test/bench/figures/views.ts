// What a person waits for in a VS Code window, measured in its page from frame to frame: from the
// click that begins a download to the row that shows how far it is, and from the click on Shoal's
// icon to the first rows of a group with 10,000 files. And what a window costs that is left alone.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { packExtension } from '../../vscode/driver/packExtension.ts';
import { People } from '../../vscode/people.ts';
import type { Person } from '../../vscode/people.ts';
import { share, shareMany, startGroup } from '../group.ts';
import { Lines, pairBehind } from '../lines.ts';
import type { Figure } from '../measure.ts';
import { cpuMs, makeRandomFile, median } from '../measure.ts';
import { blocksBetween, PROBE } from '../probe.ts';

const FILES = 10_000;
const ROUNDS = 5;
const DOWNLOAD_BYTES = 64 * 1024 ** 2;
/** How long it may still be busy after the last round, and how long it is watched, in ms. */
const SETTLE_MS = 15_000;
const WATCHED_MS = 60_000;

export async function views(): Promise<readonly Figure[]> {
  const people = new People();
  const lines = new Lines();
  try {
    const pair = await pairBehind(people.processes, lines);
    const probe = await packExtension(
      people.processes.makeFolder('package'),
      PROBE,
      fileURLToPath(new URL('../probeMain.ts', import.meta.url)),
    );
    const person = await people.settle('bob', {
      settings: { 'shoal.tracker': pair.url, 'remote.autoForwardPorts': false },
      extensions: [probe],
    });
    const [sharer] = await startGroup(people.processes, ['bench'], pair);
    if (!sharer) throw new Error('nobody shares');
    await person.openWindow();
    await person.createAccount();
    await person.window.openView('Shoal');
    await person.window.clickWelcome('Groups', 'join one');
    await person.window.quickInputTitled('Join Group');
    await person.window.pick('bench');
    await sharer.until(() => sharer.overview?.groups.some(({ requests }) => requests.length > 0));
    await sharer.connection.call('acceptRequest', { group: 'bench', user: 'bob' });

    const clicks: number[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      const [name, file] = [`download-${n}`, path.join(people.processes.makeFolder('large'), `download-${n}`)];
      makeRandomFile(file, DOWNLOAD_BYTES);
      await share('bench', sharer, file, name);
      await person.window.row('Files', name);
      const shown = await watchFor(person, 'Downloads', name, '%|MiB');
      await person.window.rowAction('Files', name, 'Download File…');
      clicks.push(await shown());
      await person.window.until(
        'its end',
        async () => (await person.window.row('Downloads', name)).description.includes('bench'),
        60_000,
      );
    }

    await shareMany(people.processes, sharer, FILES, (n) => `data/part ${Math.floor(n / 1000)}/file ${n}.bin`);
    const [fresh, again]: [number[], number[]] = [[], []];
    for (let n = 0; n < ROUNDS; n++) {
      await person.window.openView('Explorer');
      await person.window.reload();
      await person.window.until('the account', () => person.window.statusBarItem('Shoal: bob'), 60_000);
      for (const times of [fresh, again]) {
        await person.window.openView('Explorer');
        const shown = await watchFor(person, 'Files', 'data', '');
        await person.window.openView('Shoal');
        times.push(await shown());
      }
    }
    await pause(SETTLE_MS);
    const engine = person.engineProcess() ?? 0;
    const before = [cpuMs(engine), lines.bytes] as const;
    const { ownMs, seconds } = await blocksBetween(person, () => pause(WATCHED_MS));
    const most = (all: readonly number[]): string => `most ${Math.max(...all).toFixed(0)}`;
    return [
      {
        name: 'from the click on Download to the row that shows how far it is',
        value: median(clicks),
        unit: 'ms',
        note: most(clicks),
      },
      {
        name: `from the click on Shoal's icon to the rows of ${FILES.toLocaleString('en')} files, in a new window`,
        value: median(fresh),
        unit: 'ms',
        note: most(fresh),
      },
      {
        name: '  the same in a window that has shown them before',
        value: median(again),
        unit: 'ms',
        note: most(again),
      },
      {
        name: 'a signed-in window left alone for a minute: our code in the extension host',
        value: (ownMs / seconds) * 60,
        unit: 'ms',
      },
      { name: '  CPU of its engine', value: cpuMs(engine) - before[0], unit: 'ms' },
      {
        name: '  bytes of both engines to and from both trackers',
        value: (lines.bytes - before[1]) / 1024,
        unit: 'KiB',
      },
    ];
  } finally {
    lines.close();
    await people.close();
  }
}

/**
 * Looks, at every frame from the next click on, for a row of a view; the promise behind it is of
 * the ms between. The page measures: the driver would see it some time later.
 *
 * @param says  what has to stand in the row beside its name, as a pattern
 */
async function watchFor(person: Person, view: string, label: string, says: string): Promise<() => Promise<number>> {
  const { page } = person.window;
  await page.evaluate(
    ([title, name, pattern]) => {
      const here = globalThis as unknown as PageHere;
      here.shoalShown = new Promise((resolve) =>
        here.document.addEventListener(
          'click',
          () => {
            const began = here.performance.now();
            const look = (): void => {
              for (const pane of here.document.querySelectorAll('.pane')) {
                if (pane.querySelector('.pane-header h3.title')?.textContent !== title) continue;
                for (const row of pane.querySelectorAll('.monaco-list-row')) {
                  const text = row.textContent ?? '';
                  if (text.includes(name) && new RegExp(pattern).test(text.replace(name, ''))) {
                    return resolve(here.performance.now() - began);
                  }
                }
              }
              here.requestAnimationFrame(look);
            };
            look();
          },
          { capture: true, once: true },
        ),
      );
    },
    [view, label, says] as const,
  );
  return () => page.evaluate(() => (globalThis as unknown as PageHere).shoalShown);
}

/** What of a page's own names is used there. */
interface PageHere {
  shoalShown: Promise<number>;
  readonly performance: { now(): number };
  readonly document: Elements & {
    addEventListener(event: 'click', listener: () => void, options: { capture: boolean; once: boolean }): void;
  };
  requestAnimationFrame(then: () => void): void;
}
interface Elements {
  querySelectorAll(selector: string): Iterable<Elements>;
  querySelector(selector: string): Elements | null;
  readonly textContent: string | null;
}
