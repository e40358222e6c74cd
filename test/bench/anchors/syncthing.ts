// Two Syncthings that know each other and nobody else: no discovery, no relays, no reports, nothing
// but loopback. What is timed is the download proper, by its own events: not how long it takes to
// notice the file, to hash it at its source and to say so.
import { execFile, spawn } from 'node:child_process';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../support/processes/realProcesses.ts';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { Contender } from './contender.ts';
import { startMeter } from './contender.ts';
import { debianPackage } from '../figures/install.ts';

const FOLDER = 'bench';
const FILE = 'file';
const API_KEY = 'bench';
const run = promisify(execFile);

interface Side {
  readonly home: string;
  readonly files: string;
  readonly id: string;
  readonly listen: number;
  readonly api: number;
}

export async function syncthing(processes: RealProcesses, source: string): Promise<Contender> {
  const program = await debianPackage('syncthing', '/usr/bin/syncthing');
  const [one, other] = (await Promise.all(['sends', 'receives'].map((name) => makeSide(processes, program, name)))) as [
    Side,
    Side,
  ];
  const [sends, receives] = [
    start(processes, program, one, other, 'sendonly'),
    start(processes, program, other, one, 'receiveonly'),
  ];
  for (const side of [one, other]) await untilUp(side);
  let since = 0;
  /**
   * Waits for an event of the one who receives. Events are numbered for each selection of kinds, so
   * it is always the same.
   */
  const heard = async (type: 'ItemStarted' | 'ItemFinished'): Promise<void> => {
    for (;;) {
      const events = (await ask(
        other,
        `events?events=ItemStarted,ItemFinished&since=${since}&timeout=60`,
      )) as readonly { readonly id: number; readonly type: string }[];
      const found = events.find((event) => event.type === type);
      if (found) return void (since = found.id);
    }
  };
  return {
    name: 'Syncthing',
    async turn() {
      const begins = heard('ItemStarted');
      linkSync(source, path.join(one.files, FILE));
      await ask(one, `db/scan?folder=${FOLDER}`, 'POST');
      await begins;
      const meter = startMeter(sends, receives);
      await heard('ItemFinished');
      const turn = meter();
      return { ...turn, file: path.join(other.files, FILE) };
    },
    /** Away on both sides, so that the next turn finds none of its blocks at home. */
    async after() {
      const removed = heard('ItemFinished');
      rmSync(path.join(one.files, FILE));
      await ask(one, `db/scan?folder=${FOLDER}`, 'POST');
      await removed;
    },
  };
}

async function makeSide(processes: RealProcesses, program: string, name: string): Promise<Side> {
  const home = processes.makeFolder('syncthing', name, 'home');
  await run(program, ['generate', '--home', home, '--no-default-folder'], { env: ENVIRONMENT });
  // Without this it takes the folder for a disk that is not there.
  processes.makeFolder('syncthing', name, 'files', '.stfolder');
  const { stdout } = await run(program, ['--home', home, '--device-id'], { env: ENVIRONMENT });
  const [listen = 0, api = 0] = await freePorts(2);
  return { home, files: processes.makeFolder('syncthing', name, 'files'), id: stdout.trim(), listen, api };
}
/** It neither asks for newer versions of itself nor has a process that watches over it. */
const ENVIRONMENT = { ...process.env, STNOUPGRADE: '1', STMONITORED: 'yes' };

function start(
  processes: RealProcesses,
  program: string,
  side: Side,
  other: Side,
  type: 'sendonly' | 'receiveonly',
): number {
  const device = ({ id, listen }: Side): string =>
    `<device id="${id}" compression="never"><address>tcp://127.0.0.1:${listen}</address></device>`;
  writeFileSync(
    path.join(side.home, 'config.xml'),
    `<configuration version="36">
    <folder id="${FOLDER}" path="${side.files}" type="${type}" rescanIntervalS="0" fsWatcherEnabled="false"><device id="${side.id}"/><device id="${other.id}"/></folder>
    ${device(side)}${device(other)}
    <gui enabled="true" tls="false"><address>127.0.0.1:${side.api}</address><apikey>${API_KEY}</apikey></gui>
    <options>
      <listenAddress>tcp://127.0.0.1:${side.listen}</listenAddress>
      <globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled>
      <natEnabled>false</natEnabled><stunKeepaliveStartS>0</stunKeepaliveStartS><urAccepted>-1</urAccepted><crashReportingEnabled>false</crashReportingEnabled>
      <autoUpgradeIntervalH>0</autoUpgradeIntervalH><startBrowser>false</startBrowser><reconnectionIntervalS>1</reconnectionIntervalS>
    </options>
  </configuration>\n`,
  );
  const child = spawn(program, ['serve', '--home', side.home, '--no-browser'], { stdio: 'ignore', env: ENVIRONMENT });
  processes.adopt(child);
  return child.pid ?? 0;
}

async function ask({ api }: Side, what: string, method = 'GET'): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${api}/rest/${what}`, { method, headers: { 'X-API-Key': API_KEY } });
  if (!answer.ok) throw new Error(`it answered ${answer.status} to ${what}`);
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** Waits until it is connected with the other. */
async function untilUp(side: Side): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { connections = {} } = (await ask(side, 'system/connections').catch(() => ({}))) as {
      connections?: Record<string, { connected: boolean }>;
    };
    if (Object.values(connections).some(({ connected }) => connected)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the two do not find each other');
}
