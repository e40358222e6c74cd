// The command line as two people use it: the built bundles, a pair of trackers, engines that the
// commands start themselves.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ENGINE_BUNDLE, RealProcesses, TRACKER_BUNDLE, freePorts } from '../support/processes/realProcesses.ts';
import type { Ran } from '../support/processes/realProcesses.ts';

describe('the command line, for real', () => {
  const processes = new RealProcesses();
  const engines = new Set<number>();
  let info: string;

  before(async () => {
    const ports = await freePorts(2);
    info = path.join(processes.folder, 'tracker_info.txt');
    fs.writeFileSync(info, `# our trackers\n${ports.map((port) => `127.0.0.1:${port}`).join('\n')}\n`);
    await Promise.all(['1', '2'].map((number) => processes.start(TRACKER_BUNDLE, [info, number], /serves shoal:\/\//)));
  });
  after(async () => {
    for (const id of engines) {
      try {
        process.kill(id, 'SIGKILL');
      } catch {
        /* it has left */
      }
    }
    await processes.close();
  });

  const homeOf = (name: string): string => path.join(processes.folder, name);
  const environmentOf = (name: string): Record<string, string> => ({
    SHOAL_HOME: homeOf(name),
    SHOAL_PASSWORD: `password of ${name}`,
    NO_COLOR: '1',
  });
  const note = (name: string): number => {
    const file = path.join(homeOf(name), 'engine.json');
    const id = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { processId: number }).processId : 0;
    if (id > 0) engines.add(id);
    return id;
  };
  const shoal = async (name: string, ...words: string[]): Promise<Ran> => {
    const ran = await processes.run(ENGINE_BUNDLE, words, { env: environmentOf(name) });
    note(name);
    return ran;
  };
  const does = async (name: string, ...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await shoal(name, ...words);
    assert.equal(code, 0, `shoal ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const makeFile = (name: string, bytes: number): string => {
    const file = path.join(processes.folder, name);
    fs.writeFileSync(file, Buffer.alloc(bytes, name));
    return file;
  };

  it('makes accounts on the tracker of a tracker_info.txt, and knows its realm without being told', async () => {
    const { code, stderr } = await shoal('alice', '--tracker', info, 'create_user', 'alice');
    assert.deepEqual([code, stderr], [0, '']);
    const taken = await shoal('bob', 'create_user', 'alice', '--tracker', info);
    assert.deepEqual([taken.code, taken.stderr], [3, 'shoal: the name alice is taken; choose another\n']);
    await does('bob', 'create_user', 'bob');
    assert.match(await does('alice', 'login', 'alice'), /^Signed in as alice\./);
    const wrong = await processes.run(ENGINE_BUNDLE, ['login', 'bob'], {
      env: { ...environmentOf('bob'), SHOAL_PASSWORD: '' },
      input: "not bob's password\n",
    });
    assert.deepEqual([wrong.code, wrong.stderr], [3, 'shoal: user name or password is wrong\n']);
    const piped = await processes.run(ENGINE_BUNDLE, ['login', 'bob'], {
      env: { ...environmentOf('bob'), SHOAL_PASSWORD: '' },
      input: 'password of bob\n',
    });
    assert.equal(piped.code, 0, piped.stderr);
  });

  it('lets somebody into a group', async () => {
    await does('alice', 'create_group', 'team');
    assert.equal((await shoal('bob', 'list_files', 'team')).code, 3);
    await does('bob', 'join_group', 'team');
    assert.match(await does('alice', 'list_requests', 'team'), /^USER +ASKED\nbob /);
    await does('alice', 'accept_request', 'team', 'bob');
    const groups = JSON.parse(await does('bob', 'list_groups', '--json')) as {
      name: string;
      role: string;
      members: number;
    }[];
    assert.deepEqual(
      groups.map(({ name, role, members }) => [name, role, members]),
      [['team', 'member', 2]],
    );
  });

  it('shares a file, gets it, and shows it in the classic form', async () => {
    const file = makeFile('Größe 1.bin', 3_000_000);
    assert.match(await does('alice', 'upload_file', file, 'team'), /^Shared Größe 1\.bin in team \(2\.86 MiB\)\./);
    assert.match(await does('bob', 'list_file', 'team'), /^Größe 1\.bin {2}2\.86 MiB {8}1 {2}alice {9}1$/m);
    const lines = (await does('bob', 'download_file', 'team', 'Größe 1.bin', '--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const copy = path.join(processes.folder, 'downloads', 'Größe 1.bin');
    assert.equal(lines.at(-1)?.['path'], copy);
    assert.deepEqual(
      (lines.at(-1)?.['sources'] as { user: string; pieces: number }[]).map(({ user, pieces }) => [user, pieces]),
      [['alice', 6]],
    );
    assert.ok(fs.readFileSync(copy).equals(fs.readFileSync(file)));
    assert.equal(await does('bob', 'show_downloads'), '[C] [team] Größe 1.bin\n');
    assert.match(await does('bob', 'verify', 'team', 'größe 1.BIN'), /is exactly what was shared/);

    assert.match(await does('bob', 'get', 'team', 'Größe 1.bin'), /is here already, complete/);
    assert.match(await does('bob', 'get', 'team', 'Größe 1.bin', '--rename'), /Größe 1 \(2\)\.bin/);
    fs.appendFileSync(copy, 'x');
    assert.equal((await shoal('bob', 'verify', '1')).code, 6);
    const damaged = fs.readFileSync(copy);
    damaged[1_000_000]! ^= 1;
    fs.writeFileSync(copy, damaged);
    assert.match(
      await does('bob', 'verify', '1', '--repair'),
      /was damaged; 1 piece of 6 came anew, and it is exactly what was shared now/,
    );
    assert.ok(fs.readFileSync(copy).equals(fs.readFileSync(file)));
    fs.rmSync(copy);
    assert.match(await does('bob', 'verify', '1', '--repair'), /6 pieces of 6 came anew/);
    assert.ok(fs.readFileSync(copy).equals(fs.readFileSync(file)));
    fs.appendFileSync(file, 'x');
    assert.equal((await shoal('alice', 'verify', 'team', 'Größe 1.bin', '--repair')).code, 6);
    fs.truncateSync(file, 3_000_000);
    fs.writeFileSync(path.join(processes.folder, 'mine.bin'), 'mine');
    const taken = await shoal('bob', 'get', 'team', 'Größe 1.bin', 'mine.bin');
    assert.deepEqual([taken.code, taken.stdout], [1, '']);
    assert.match(taken.stderr, /mine\.bin exists already; nothing was overwritten/);
    assert.equal(fs.readFileSync(path.join(processes.folder, 'mine.bin'), 'utf8'), 'mine');
  });

  it('prints a file without downloading it, byte for byte, and stops when nobody reads on', async () => {
    const content = Buffer.from(Array.from({ length: 5_000_000 }, (_, n) => (n * 31) % 256));
    const file = path.join(processes.folder, 'bytes.bin');
    fs.writeFileSync(file, content);
    await does('alice', 'share', file, 'team');
    const cat = (then: string): Promise<{ readonly stdout: string; readonly stderr: string }> =>
      promisify(execFile)('/bin/sh', ['-c', `"${process.execPath}" "${ENGINE_BUNDLE}" cat team bytes.bin ${then}`], {
        env: { ...process.env, ...environmentOf('bob') },
      });
    assert.deepEqual(await cat(`> "${processes.folder}/printed.bin"`), { stdout: '', stderr: '' });
    assert.ok(fs.readFileSync(path.join(processes.folder, 'printed.bin')).equals(content));
    assert.deepEqual(await cat('| head -c 3 | wc -c'), { stdout: '3\n', stderr: '' });
    assert.doesNotMatch(await does('bob', 'show_downloads'), /bytes\.bin/);
  });

  it('leaves a download to the engine at Ctrl-C', async () => {
    await does('alice', 'share', makeFile('slow.bin', 8_000_000), 'team');
    await does('bob', '--limit-down', '512k', 'list_groups');
    const child = spawn(process.execPath, [ENGINE_BUNDLE, 'get', 'team', 'slow.bin', '--json'], {
      cwd: processes.folder,
      env: { ...process.env, ...environmentOf('bob') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    processes.adopt(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const closed = once(child, 'close');
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (chunk: Buffer) => /"heldPieces":[1-9]/.test(chunk.toString()) && resolve()),
    );
    child.kill('SIGINT');
    assert.deepEqual(await closed, [130, null], stderr);
    assert.match(await does('bob', 'show_downloads'), /^\[D\] \[team\] slow\.bin$/m);
    await does('bob', 'pause', 'team', 'slow.bin');
    const { transfers } = JSON.parse(await does('bob', 'status', '--json')) as {
      transfers: { id: number; name: string; state: string }[];
    };
    const slow = transfers.find(({ name }) => name === 'slow.bin');
    assert.equal(slow?.state, 'paused');
    await does('bob', 'resume', String(slow?.id), '--limit-down', '0');
    // joins the one that is under way
    assert.match(await does('bob', 'get', 'team', 'slow.bin'), /^Downloaded |is here already/);
  });

  it('ends with 5 when nobody has it and it shall not wait', async () => {
    await does('alice', 'share', makeFile('rare.bin', 1000), 'team');
    await does('alice', 'stop');
    const { code, stderr } = await shoal('bob', 'get', 'team', 'rare.bin', '--no-wait');
    assert.equal(code, 5);
    assert.match(stderr, /nobody who is online has rare\.bin; it goes on by itself when somebody comes\n$/);
    const serving = processes.start(ENGINE_BUNDLE, ['--home', homeOf('alice'), 'serve'], /sharing rare\.bin in team/);
    assert.match(await does('bob', 'get', 'team', 'rare.bin'), /^Downloaded /);
    const { child } = await serving;
    const id = note('alice');
    await processes.kill(child, 'SIGTERM');
    assert.equal(child.exitCode, 0);
    assert.equal(
      (await shoal('alice', 'status', '--json')).stdout,
      `{"running":false,"home":${JSON.stringify(homeOf('alice'))}}\n`,
    );
    engines.delete(id);
  });

  it('stops everything at logout', async () => {
    await does('bob', 'logout');
    assert.deepEqual(JSON.parse(await does('bob', 'status', '--json')).overview.listening, []);
    assert.equal((await shoal('bob', 'show_downloads')).stdout, '');
    assert.equal((await shoal('bob', 'list_groups')).code, 3);
    await does('bob', 'login', 'bob');
    assert.match(await does('bob', 'show_downloads'), /^\[C\] \[team\] slow\.bin$/m);
    await does('bob', 'stop');
  });
});
