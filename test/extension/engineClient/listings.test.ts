// Lists that are read in pages: of trackers that are not what they should be, and how often of
// groups that change all the time.
import assert from 'node:assert/strict';
import type { FileRow, GroupRow, MemberRow } from '../../../protocol/messages/trackerLink.ts';
import { Listings } from '../../../extension/engineClient/listings.ts';
import type { ListingsContext } from '../../../extension/engineClient/listings.ts';
import type { Listing, WindowState } from '../../../extension/state/state.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import { aFile, aGroup, aGroupRow, anOverview } from '../../support/fakes/fakeEngine.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';

const TEAM = aGroup({ requests: [] });
const aMember = (user: string): MemberRow => ({
  account: '00' as MemberRow['account'],
  user,
  role: 'member',
  online: true,
  sinceMs: 0,
});

interface Page {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** A window in one group, and a tracker that answers so with names, whatever is listed. */
class Window {
  readonly clock = new ManualClock();
  state: WindowState = { ...INITIAL_STATE, engine: 'up', overview: anOverview(), knowsGroups: true, groups: [TEAM] };
  /** Pages that were asked for. */
  asked = 0;
  readonly listings: Listings;

  constructor(answer: (after: string) => Page) {
    const call = async (name: string, { after }: { after: string }): Promise<unknown> => {
      this.asked++;
      const { names, more } = answer(after);
      const rows = {
        files: (one: string) => aFile({ name: one }),
        members: aMember,
        groups: (one: string) => aGroupRow({ name: one }),
      };
      const what = name.slice('list'.length).toLowerCase() as keyof typeof rows;
      return { [what]: names.map((one) => rows[what](one)), more, filesVersion: 1 };
    };
    this.listings = new Listings(
      {
        call: call as ListingsContext['call'],
        change: (apply) => (this.state = { ...this.state, ...apply(this.state) }),
        state: () => this.state,
      },
      this.clock,
    );
  }

  get files(): Listing<FileRow> {
    return this.state.files.get(TEAM.group) ?? { rows: [], isLoaded: false, error: undefined };
  }
  get members(): Listing<MemberRow> {
    return this.state.members.get(TEAM.group) ?? { rows: [], isLoaded: false, error: undefined };
  }
  /** The tracker has told of a change of the catalogue. */
  changed(filesVersion: number): void {
    this.state = { ...this.state, groups: [{ ...TEAM, filesVersion }] };
    this.listings.refresh();
  }
}

/** As many names as fit into a page, behind `after`, in order. */
const endless = (after: string): Page => {
  const first = after === '' ? 0 : Number(after.slice(1)) + 1;
  return { names: Array.from({ length: 256 }, (_, n) => `n${String(first + n).padStart(9, '0')}`), more: true };
};

describe('lists of a tracker that is not what it should be', () => {
  const lists: readonly (readonly [what: string, read: (window: Window) => Promise<number>, max: number])[] = [
    ['files', async (window) => (await window.listings.readAll('files'), window.files.rows.length), 100_000],
    ['members', async (window) => (await window.listings.readAll('members'), window.members.rows.length), 1024],
    ['groups', async (window) => (await window.listings.allGroups()).length, 10_000],
  ];
  for (const [what, read, max] of lists) {
    it(`end where nobody has so many ${what}`, async () => {
      const window = new Window(endless);
      const rows = await read(window);
      assert.ok(rows >= max && rows < max + 256, `${rows} rows`);
    });
  }

  const circles: readonly (readonly [says: string, page: (after: string) => Page])[] = [
    ['the same page again', () => ({ names: ['a', 'b'], more: true })],
    ['one name in another case again', (after) => ({ names: [after === 'A' ? 'a' : 'A'], more: true })],
    [
      'pages from the end to the beginning',
      (after) => ({ names: [after === '' ? 'z' : String.fromCharCode(after.charCodeAt(0) - 1)], more: true }),
    ],
  ];
  for (const [says, page] of circles) {
    it(`are given up at ${says}`, async () => {
      const window: Window = new Window((after) =>
        window.asked > 100 ? assert.fail('it goes on and on') : page(after),
      );
      await window.listings.readAll('files');
      await window.listings.readAll('members');
      assert.deepEqual(
        [window.files.error?.code, window.members.error?.code, window.asked],
        ['badMessage', 'badMessage', 4],
      );
      await assert.rejects((): Promise<readonly GroupRow[]> => window.listings.allGroups(), { code: 'badMessage' });
    });
  }

  it('show their beginning before their end is read, the first time', async () => {
    const seen: string[] = [];
    const pages = 16;
    const window: Window = new Window((after) => {
      const n = after === '' ? 0 : Number(after.slice(1)) + 1;
      seen.push(`${window.files.rows.length}${window.files.isLoaded ? ' of a whole list' : ''}`);
      return { names: [`f${String(n).padStart(2, '0')}`], more: n < pages - 1 };
    });
    await window.listings.readAll('files');
    assert.deepEqual(
      seen,
      ['0', '1', '2', '2', '4', '4', '4', '4', '8', '8', '8', '8', '8', '8', '8', '8'],
      'each time twice as much: redrawing costs, too',
    );
    seen.splice(0);
    await window.listings.readAll('files');
    assert.deepEqual(new Set(seen), new Set(['16 of a whole list']), 'what was whole stays until the new one is');
  });

  it('are without files whose names mean something else', async () => {
    const window = new Window((after) =>
      after === ''
        ? { names: ['../up', '/x', 'a.txt', 'a.txt'], more: true }
        : { names: ['b\u202Etxt.exe', 'c/d.txt'], more: false },
    );
    await window.listings.readAll('files');
    assert.deepEqual(
      window.files.rows.map(({ name }) => name),
      ['a.txt', 'c/d.txt'],
    );
  });
  it('end, too, when no name of a file is right', async () => {
    const window = new Window((after) => {
      const { names, more } = endless(after.slice(1));
      return { names: names.map((name) => `/${name}`), more };
    });
    await window.listings.readAll('files');
    assert.deepEqual([window.files.rows.length, window.asked], [0, Math.ceil(100_000 / 256)]);
  });
});

describe('lists of a group that changes', () => {
  /** A window that looks at a catalogue of so many files at first, read once. */
  const looking = async (files: number): Promise<{ window: Window; share: (times: number) => Promise<void> }> => {
    let count = files;
    const window = new Window((after) => {
      const first = after === '' ? 0 : Number(after) + 1;
      const names = Array.from({ length: Math.min(256, count - first) }, (_, n) => String(first + n).padStart(6, '0'));
      return { names, more: first + names.length < count };
    });
    window.listings.watch('files', true);
    await window.clock.advance(0); // it is read
    await window.clock.advance(3 * count); // and has rested
    window.asked = 0;
    return {
      window,
      async share(times) {
        for (let n = 0; n < times; n++) {
          window.changed(++count);
          await window.clock.advance(1);
        }
      },
    };
  };

  it('are read at once when they have rested', async () => {
    const { window, share } = await looking(100);
    await share(1);
    assert.equal(window.files.rows.length, 101);
  });
  it('are read a few times while a thousand files are shared within a second, and then to the last one', async () => {
    const { window, share } = await looking(0);
    await share(1000);
    await window.clock.advance(2000);
    assert.equal(window.files.rows.length, 1000);
    assert.ok(window.asked < 20, `${window.asked} pages`);
  });
  it('rest, too, when the news is of my own files', async () => {
    const { window } = await looking(200);
    for (let ms = 0; ms < 1000; ms++) {
      window.listings.refreshFilesOf(new Set([TEAM.group]));
      await window.clock.advance(1);
    }
    assert.ok(window.asked <= 4, `${window.asked} pages`);
  });
  it('are read at once by somebody who begins to look', async () => {
    const { window, share } = await looking(200);
    await share(2);
    window.listings.watch('files', false);
    window.listings.watch('files', true);
    await window.clock.advance(0);
    assert.equal(window.files.rows.length, 202);
  });
  it('are not read any more when the window is closed', async () => {
    const { window, share } = await looking(200);
    await share(2);
    window.listings.close();
    window.changed(999);
    await window.clock.advance(10_000);
    assert.equal(window.asked, 1);
  });
});
