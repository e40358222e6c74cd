// The simulated disk: it answers as the real one does, call by call; and what a power cut leaves of
// it is what was synced.
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { systemCode } from '../../../protocol/base/errors.ts';
import { createNodeDisk } from '../../../protocol/node/nodeDisk.ts';
import type { Disk, DiskFile } from '../../../protocol/base/world.ts';
import { simulate } from './simulatedWorld.ts';
import type { SimulatedDisk, Survival } from './simulatedDisk.ts';

/** What a call gave, comparable between disks. */
async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    const value = await run();
    return Buffer.isBuffer(value) ? value.toString() : value;
  } catch (error) {
    const code = systemCode(error);
    assert.ok(code, String(error));
    return code;
  }
}

async function content(disk: Disk, name: string): Promise<string> {
  return (await disk.readFile(name)).toString();
}

async function using(file: Promise<DiskFile>, run: (file: DiskFile) => Promise<unknown>): Promise<unknown> {
  const opened = await file;
  try {
    return await run(opened);
  } finally {
    await opened.close();
  }
}

/**
 * In every row: `folder/` holds `file` ("content"), `empty/`, `full/inside`, `link` to `file`,
 * `dangling` to nothing, `linked` to `full`.
 */
const calls: Readonly<Record<string, (disk: Disk, in_: (name: string) => string) => Promise<unknown>>> = {
  'reads a whole file': (disk, at) => disk.readFile(at('file')),
  'reads through a link with readFile': (disk, at) => disk.readFile(at('link')),
  'reads through a linked folder': (disk, at) => disk.readFile(at('linked/inside')),
  'reads what is missing': (disk, at) => disk.readFile(at('missing')),
  'reads a folder': (disk, at) => disk.readFile(at('full')),
  'reads below a file': (disk, at) => disk.readFile(at('file/x')),
  'opens what is missing': (disk, at) => disk.open(at('missing'), 'read'),
  'opens a link to read': (disk, at) => disk.open(at('link'), 'read'),
  'opens a link to write': (disk, at) => disk.open(at('link'), 'write'),
  'opens a folder to write': (disk, at) => disk.open(at('full'), 'write'),
  'creates over a file': (disk, at) => disk.open(at('file'), 'create'),
  'creates over a link': (disk, at) => disk.open(at('link'), 'create'),
  'creates over a link to nothing': (disk, at) => disk.open(at('dangling'), 'create'),
  'creates in a missing folder': (disk, at) => disk.open(at('missing/x'), 'create'),
  'reads less at the end': (disk, at) =>
    using(disk.open(at('file'), 'read'), async (file) => {
      const into = Buffer.alloc(5, '.');
      return [
        await file.read(into, 4),
        into.toString(),
        await file.read(into, 100),
        await file.read(Buffer.alloc(0), 0),
      ];
    }),
  'writes in the middle and behind the end': (disk, at) =>
    using(disk.open(at('file'), 'write'), async (file) => {
      await file.write(Buffer.from('XX'), 1);
      await file.write(Buffer.from('Y'), 9);
      await file.write(Buffer.alloc(0), 50);
      await file.sync();
      return [(await file.stat()).sizeBytes, await content(disk, at('file'))];
    }),
  'truncates and grows with zeros': (disk, at) =>
    using(disk.open(at('file'), 'write'), async (file) => {
      await file.truncate(3);
      await file.truncate(5);
      return content(disk, at('file'));
    }),
  'writes to a file opened to read': (disk, at) =>
    using(disk.open(at('file'), 'read'), async (file) => file.write(Buffer.from('x'), 0)),
  'writes to a file that lost its name': (disk, at) =>
    using(disk.open(at('file'), 'write'), async (file) => {
      await disk.remove(at('file'));
      await file.write(Buffer.from('x'), 0);
      return [(await file.stat()).sizeBytes, await disk.stat(at('file'))];
    }),
  'tells what is what': async (disk, at) =>
    Promise.all(
      ['file', 'full', 'link', 'dangling', 'missing', 'file/x', 'missing/x'].map(
        async (name) => (await disk.stat(at(name)))?.kind,
      ),
    ),
  'tells what a link points to': async (disk, at) =>
    Promise.all(['link', 'linked', 'dangling'].map(async (name) => (await disk.stat(at(name), 'follow'))?.kind)),
  'links a second name': async (disk, at) => {
    await disk.link(at('file'), at('second'));
    const [one, two] = [await disk.stat(at('file')), await disk.stat(at('second'))];
    await disk.remove(at('file'));
    return [one?.inode === two?.inode, one?.device === two?.device, await content(disk, at('second'))];
  },
  'links over a name': (disk, at) => disk.link(at('file'), at('link')),
  'links what is missing': (disk, at) => disk.link(at('missing'), at('second')),
  'renames over a file': async (disk, at) => {
    await disk.rename(at('full/inside'), at('file'));
    return [await content(disk, at('file')), await disk.listFolder(at('full'))];
  },
  'renames over itself': async (disk, at) => (await disk.rename(at('file'), at('file')), content(disk, at('file'))),
  'renames what is missing': (disk, at) => disk.rename(at('missing'), at('second')),
  'renames a file over a folder': (disk, at) => disk.rename(at('file'), at('empty')),
  'renames a folder over a file': (disk, at) => disk.rename(at('empty'), at('file')),
  'renames a folder over an empty one': async (disk, at) => (
    await disk.rename(at('full'), at('empty')),
    content(disk, at('empty/inside'))
  ),
  'renames a folder over a full one': (disk, at) => disk.rename(at('empty'), at('full')),
  'removes a file': async (disk, at) => (await disk.remove(at('file')), disk.stat(at('file'))),
  'removes a link, not its target': async (disk, at) => (
    await disk.remove(at('link')),
    [await disk.stat(at('link')), await content(disk, at('file'))]
  ),
  'removes what is missing': (disk, at) => disk.remove(at('missing')),
  'removes in a missing folder': (disk, at) => disk.remove(at('missing/x')),
  'removes a folder': (disk, at) => disk.remove(at('empty')),
  'removes a folder with all that is in it': async (disk, at) => (
    await disk.removeFolder(at('full')),
    (await disk.listFolder(at('.'))).toSorted()
  ),
  'removes a linked folder, not its target': async (disk, at) => (
    await disk.removeFolder(at('linked')),
    disk.listFolder(at('full'))
  ),
  'removes a folder that is missing': (disk, at) => disk.removeFolder(at('missing')),
  'makes folders, also those that are there': async (disk, at) => {
    await disk.makeFolder(at('a/b/c'));
    await disk.makeFolder(at('a/b'));
    return disk.listFolder(at('a'));
  },
  'makes a folder over a file': (disk, at) => disk.makeFolder(at('file')),
  'makes a folder below a file': (disk, at) => disk.makeFolder(at('file/x')),
  'makes a folder below a linked one': async (disk, at) => (
    await disk.makeFolder(at('linked/x')),
    (await disk.listFolder(at('full'))).toSorted()
  ),
  'lists a folder': async (disk, at) => (await disk.listFolder(at('.'))).toSorted(),
  'lists what is missing': (disk, at) => disk.listFolder(at('missing')),
  'lists a file': (disk, at) => disk.listFolder(at('file')),
  'syncs a folder': (disk, at) => disk.syncFolder(at('full')),
  'syncs a missing folder': (disk, at) => disk.syncFolder(at('missing')),
  'replaces a file and leaves nothing beside it': async (disk, at) => {
    await disk.replaceFile(at('full/inside'), Buffer.from('new'));
    await disk.replaceFile(at('full/second'), Buffer.from('other'));
    return [
      await content(disk, at('full/inside')),
      await content(disk, at('full/second')),
      (await disk.listFolder(at('full'))).toSorted(),
    ];
  },
  'replaces a link itself': async (disk, at) => (
    await disk.replaceFile(at('link'), Buffer.from('new')),
    [await content(disk, at('link')), await content(disk, at('file'))]
  ),
  'replaces a folder and leaves nothing beside it': async (disk, at) => {
    const failed = await outcome(() => disk.replaceFile(at('full'), Buffer.from('new')));
    return [failed, (await disk.listFolder(at('.'))).toSorted()];
  },
  'replaces in a missing folder': (disk, at) => disk.replaceFile(at('missing/x'), Buffer.from('new')),
  'knows the free room': async (disk, at) => [
    (await disk.freeBytes(at('.'))) > 0,
    await outcome(() => disk.freeBytes(at('missing'))),
  ],
  'shows that a file was changed': (disk, at) =>
    using(disk.open(at('file'), 'write'), async (file) => {
      const [before, , after] = [await file.stat(), await file.write(Buffer.from('changed'), 0), await file.stat()];
      return [
        before.inode === after.inode,
        before.modifiedNs <= after.modifiedNs,
        before.changedNs <= after.changedNs,
        before.sizeBytes === after.sizeBytes,
      ];
    }),
  'shows that a file was replaced': async (disk, at) => {
    const before = await disk.stat(at('file'));
    await disk.replaceFile(at('file'), Buffer.from('content'));
    return before?.inode === (await disk.stat(at('file')))?.inode;
  },
};

describe('the simulated disk and the real one', () => {
  let folder = '';
  beforeEach(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), 'shoal-disk-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function furnish(disk: Disk, in_: (name: string) => string): Promise<void> {
    for (const name of ['empty', 'full']) await disk.makeFolder(in_(name));
    await disk.replaceFile(in_('file'), Buffer.from('content'));
    await disk.replaceFile(in_('full/inside'), Buffer.from('inside'));
  }

  const links = { link: 'file', dangling: 'nothing', linked: 'full' };

  async function onReal(run: (disk: Disk, in_: (name: string) => string) => Promise<unknown>): Promise<unknown> {
    const [disk, in_] = [createNodeDisk(), (name: string) => path.join(folder, name)];
    await furnish(disk, in_);
    for (const [name, target] of Object.entries(links)) await symlink(target, in_(name));
    return outcome(() => run(disk, in_).then(closed));
  }

  function onSimulated(run: (disk: Disk, in_: (name: string) => string) => Promise<unknown>): Promise<unknown> {
    return simulate(1, async (sim) => {
      const machine = sim.machine('alice');
      const [{ disk }, in_] = [machine.world, (name: string) => path.posix.join('/home/alice', name)];
      await furnish(disk, in_);
      for (const [name, target] of Object.entries(links)) machine.disk.putLink(in_(name), target);
      return outcome(() => run(disk, in_).then(closed));
    });
  }

  /** A file that a row opened is not its result. */
  async function closed(value: unknown): Promise<unknown> {
    if (typeof (value as DiskFile | undefined)?.close !== 'function') return value;
    await (value as DiskFile).close();
    return 'a file';
  }

  for (const [what, run] of Object.entries(calls)) {
    it(what, async function () {
      if (process.platform === 'win32') this.skip(); // other codes, and links need a right
      assert.deepEqual(await onSimulated(run), await onReal(run));
    });
  }
});

describe('the simulated disk', () => {
  const onDisk = <T>(
    run: (disk: Disk, raw: SimulatedDisk, cut: (survival?: Survival) => Disk) => Promise<T>,
    seed = 1,
  ): Promise<T> =>
    simulate(seed, async (sim) => {
      const machine = sim.machine('alice');
      return run(
        machine.world.disk,
        machine.disk,
        (survival = 'nothing') => (machine.powerCut(survival), machine.start().disk),
      );
    });

  it('forgets at a power cut what was written since the last sync', () =>
    onDisk(async (disk, raw, cut) => {
      raw.put('/file', 'old content');
      const file = await disk.open('/file', 'write');
      await file.write(Buffer.from('NEW'), 0);
      await file.sync();
      await file.write(Buffer.from('LOST'), 4);
      await file.truncate(6);
      assert.equal(await content(disk, '/file'), 'NEW LO');
      const after = cut();
      assert.equal(await content(after, '/file'), 'NEW content');
    }));

  it('forgets a synced file whose folder was not synced, and brings back what was removed', () =>
    onDisk(async (disk, raw, cut) => {
      raw.put('/old', 'old');
      const file = await disk.open('/new', 'create');
      await file.write(Buffer.from('new'), 0);
      await file.sync();
      await disk.remove('/old');
      await disk.makeFolder('/folder');
      assert.deepEqual((await cut().listFolder('/')).toSorted(), ['old']);
    }));

  it('keeps names whose folder was synced, each with what was synced of its file', () =>
    onDisk(async (disk, raw, cut) => {
      raw.put('/old', 'old');
      for (const name of ['synced', 'unsynced']) {
        const file = await disk.open(`/${name}`, 'create');
        await file.write(Buffer.from(name), 0);
        if (name === 'synced') await file.sync();
      }
      await disk.rename('/old', '/renamed');
      await disk.syncFolder('/');
      const after = cut();
      assert.deepEqual((await after.listFolder('/')).toSorted(), ['renamed', 'synced', 'unsynced']);
      assert.deepEqual([await content(after, '/synced'), await content(after, '/unsynced')], ['synced', '']);
    }));

  it('moves a name between folders as one step', async () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      await onDisk(async (disk, raw, cut) => {
        raw.put('/a/file', 'content');
        raw.put('/b/other', '');
        await disk.rename('/a/file', '/b/file');
        cut('someOfIt');
        left.add(raw.names().join());
      }, seed);
    }
    assert.deepEqual([...left].sort(), ['/a/file,/b/other', '/b/file,/b/other']);
  });

  it('may keep any of the unsynced writes', async () => {
    const left = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      await onDisk(async (disk, raw, cut) => {
        raw.put('/file', '---');
        const file = await disk.open('/file', 'write');
        for (const at of [0, 1, 2]) await file.write(Buffer.from('X'), at);
        cut('someOfIt');
        left.add(raw.peek('/file')?.toString());
      }, seed);
    }
    assert.equal(left.size, 8, [...left].join());
  });

  it('replaces a file so that a power cut at any moment leaves the old or the new one', async () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      await simulate(seed, async (sim) => {
        const alice = sim.machine('alice');
        alice.disk.put('/file', 'old');
        void alice.world.disk.replaceFile('/file', Buffer.from('new'));
        await sim.advance(sim.chance.random() * 0.4);
        alice.powerCut();
        left.add(alice.disk.peek('/file')?.toString() ?? 'nothing');
      });
    }
    assert.deepEqual([...left].sort(), ['new', 'old']);
  });

  it('is full when it is full, and has room again when something is removed', () =>
    onDisk(async (disk, raw) => {
      raw.capacityBytes = 10 * 4096;
      raw.put('/big', Buffer.alloc(8 * 4096));
      const file = await disk.open('/file', 'create');
      await file.truncate(1_000_000); // takes no room: nothing was written
      await assert.rejects(file.write(Buffer.alloc(3 * 4096, 1), 0), { code: 'ENOSPC' });
      assert.equal(await disk.freeBytes('/'), 0);
      await file.write(Buffer.from('into room it has'), 5);
      await disk.remove('/big');
      await file.write(Buffer.alloc(3 * 4096), 0);
      assert.equal(await disk.freeBytes('/'), 7 * 4096);
    }));

  it('fails where it is told to', () =>
    onDisk(async (disk, raw) => {
      raw.put('/file', 'content');
      raw.fault = (call, name) => (call === 'sync' && name === '/file' ? 'EIO' : undefined);
      const file = await disk.open('/file', 'write');
      await assert.rejects(file.sync(), { code: 'EIO', message: "EIO: sync '/file'" });
      raw.fault = undefined;
      await file.sync();
    }));

  it('keeps the rights that a file was made with', () =>
    onDisk(async (disk, raw) => {
      await disk.replaceFile('/secret', Buffer.from('s'));
      await disk.replaceFile('/open', Buffer.from('o'), 0o644);
      assert.deepEqual([raw.mode('/secret'), raw.mode('/open')], [0o600, 0o644]);
    }));
});
