// The log on a real disk: what was acknowledged is there whatever happens to the process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Origin } from '../../../protocol/base/ids.ts';
import { nodeChance } from '../../../protocol/node/nodeWorld.ts';
import { decodeEntry, entryHash } from '../../../protocol/messages/operations.ts';
import { CEILING_RENEW_MS } from '../../../tracker/log/opLog.ts';
import type { OpLog } from '../../../tracker/log/opLog.ts';
import { openSqliteLog } from '../../../tracker/log/sqliteLog.ts';
import { nextEntries } from '../../support/processes/logWriter.ts';

const OTHER = '00000000000000ff' as Origin;
const KILLS = 4;

describe('the log in SQLite', () => {
  let folder: string;
  let file: string;
  const opened = new Set<OpLog>();
  const open = (): OpLog => {
    const log = openSqliteLog(file, nodeChance);
    opened.add(log);
    return log;
  };
  const close = (log: OpLog): void => {
    opened.delete(log);
    log.close();
  };
  const refused =
    (code: string, why: RegExp) =>
    (error: unknown): boolean =>
      isShoalError(error) && error.code === code && why.test(error.message);

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-log-'));
    file = path.join(folder, 'log.sqlite');
  });
  afterEach(() => {
    for (const log of opened) close(log);
    rmSync(folder, { recursive: true, force: true });
  });

  it('has everything again, in order, under the same origin', async () => {
    const log = open();
    const { origin } = log;
    await log.append(nextEntries(log, 3, { ms: 2_000 }));
    await log.append(nextEntries(log, 2, { origin: OTHER, ms: 1_000 }));
    close(log);
    const again = open();
    assert.equal(again.origin, origin);
    assert.deepEqual(
      [...again.have()].sort(),
      [
        [origin, 3],
        [OTHER, 2],
      ].sort(),
    );
    assert.deepEqual(
      again.inOrder(undefined, 1_000).map(({ stamp }) => `${stamp.ms} ${stamp.seq}`),
      ['1000 1', '1000 2', '2000 1', '2000 2', '2000 3'],
    );
    assert.deepEqual(
      again.entries(origin, 2, 1).map(({ stamp }) => stamp.seq),
      [2],
    );
    assert.equal(again.count, 5);
    assert.deepEqual(
      nextEntries(again, 1)[0]?.stamp.previous,
      entryHash(again.entries(origin, 3, 1)[0]?.bytes ?? new Uint8Array()),
    );
  });
  it('gives every new database an origin of its own, and another one when asked', () => {
    const log = open();
    const { origin } = log;
    log.renewOrigin();
    assert.notEqual(log.origin, origin);
    close(log);
    assert.notEqual(open().origin, origin);
  });
  it('keeps a ceiling ahead of its own stamps, and only of these', async () => {
    const log = open();
    await log.append(nextEntries(log, 1, { ms: 50_000 }));
    await log.append(nextEntries(log, 1, { origin: OTHER, ms: 9_000_000 }));
    close(log);
    const { ceilingMs } = open();
    assert.ok(ceilingMs >= 50_000 + CEILING_RENEW_MS && ceilingMs < 100_000, `${ceilingMs}`);
  });
  it('belongs to one process', () => {
    open();
    assert.throws(open, refused('badRealmFolder', /another tracker runs in it/));
  });
  it('is readable by its owner alone', function () {
    if (process.platform === 'win32') this.skip(); // there, the folder's rights count
    open();
    for (const name of ['log.sqlite', 'log.sqlite-wal']) {
      assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
    }
  });
  it('is not touched when a newer version wrote it', () => {
    close(open());
    const database = new DatabaseSync(file);
    database.exec(`UPDATE meta SET value = '3' WHERE name = 'format'`);
    database.close();
    assert.throws(open, refused('newerFormat', /format 3/));
  });
  it('says when it is damaged', async () => {
    const log = open();
    await log.append(nextEntries(log, 2));
    close(log);
    const database = new DatabaseSync(file);
    database.exec('DELETE FROM operations WHERE seq = 1');
    database.close();
    assert.throws(open, refused('badRealmFolder', /missing/));
    rmSync(file);
    writeFileSync(file, 'not a database at all, but long enough to be read as the header of one, which it is not');
    assert.throws(open, refused('badRealmFolder', /not a database/));
  });
  it('takes nothing more after a write has failed', async () => {
    const log = open();
    await log.append(nextEntries(log, 1));
    const twice = log.entries(log.origin, 1, 1); // the same number again: SQLite refuses
    await assert.rejects(log.append(twice));
    await assert.rejects(log.append(nextEntries(log, 1, { origin: OTHER })));
    assert.deepEqual(log.entries(OTHER, 1, 1), []);
  });
  it('writes at its end what was not written yet', async () => {
    const log = open();
    const written = log.append(nextEntries(log, 1));
    close(log);
    await written;
    assert.equal(open().count, 1);
  });

  it('has all that was acknowledged before kill -9', async function () {
    this.timeout(60_000);
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('../../support/processes/logWriter.ts', import.meta.url)), file],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let lines = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        for (const line of chunk
          .toString()
          .split('\n')
          .filter((text) => text !== '')) {
          acknowledged = Math.max(acknowledged, Number(line));
          if (++lines > 20 + kill * 7) child.kill('SIGKILL');
        }
      });
      await once(child, 'close');
      const log = open();
      const { origin } = log;
      const all = [...log.inOrder(undefined, 1_000_000)].filter(({ stamp }) => stamp.origin === origin);
      assert.ok(all.length >= acknowledged, `${acknowledged} were acknowledged, ${all.length} are there`);
      all.forEach(({ bytes }, n) => {
        const { stamp } = decodeEntry(bytes);
        assert.equal(stamp.seq, n + 1);
        assert.deepEqual(
          Buffer.from(stamp.previous),
          n === 0 ? Buffer.alloc(32) : entryHash(all[n - 1]?.bytes ?? new Uint8Array()),
        );
      });
      assert.ok(log.ceilingMs > (all.at(-1)?.stamp.ms ?? 0));
      acknowledged = all.length;
      close(log);
    }
    assert.ok(acknowledged > 0);
  });
});
