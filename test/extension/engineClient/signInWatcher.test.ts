// A window without an engine notices that somebody signed in, on a real disk.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SignInWatcher } from '../../../extension/engineClient/signInWatcher.ts';
import { homeAt, writeSmallFile } from '../../../protocol/home/homeLayout.ts';
import { createNodeDisk } from '../../../protocol/node/nodeDisk.ts';

describe('a window that has no engine', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'sh-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const noticed = async (home: ReturnType<typeof homeAt>, act: () => Promise<void>): Promise<void> => {
    let watch: SignInWatcher | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        watch = new SignInWatcher(home, resolve);
        watch.isOn = true;
        act().catch(reject);
      });
    } finally {
      watch?.dispose();
    }
  };

  it('notices that somebody signed in', async () => {
    const home = homeAt(path.join(folder, 'home'));
    mkdirSync(home.folder);
    await noticed(home, () => writeSmallFile(createNodeDisk(), home.accountFile, { account: 'a', user: 'alice' }));
  });

  it('notices the very first sign-in, which makes the home', async () => {
    const home = homeAt(path.join(folder, 'home'));
    await noticed(home, async () => {
      mkdirSync(home.folder);
      await writeSmallFile(createNodeDisk(), home.accountFile, { account: 'a', user: 'alice' });
    });
  });

  it('does without where there is nothing to watch', () => {
    const watch = new SignInWatcher(homeAt(path.join(folder, 'a', 'b', 'c')), () => {});
    watch.isOn = true;
    watch.dispose();
  });
});
