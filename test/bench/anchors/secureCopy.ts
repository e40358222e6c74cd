// `scp` with AES-128-GCM from an sshd of its own, on loopback, with keys made for it. It checks no
// content; its figure is that of encryption and pipes.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../support/processes/realProcesses.ts';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { Contender } from './contender.ts';
import { debianPackage } from '../figures/install.ts';

const CIPHER = 'aes128-gcm@openssh.com';
const run = promisify(execFile);

export async function secureCopy(processes: RealProcesses, source: string): Promise<Contender> {
  const server = await debianPackage('openssh-server', '/usr/sbin/sshd');
  const [port = 0] = await freePorts(1);
  const folder = processes.makeFolder('ssh');
  const [hostKey, key, config] = ['host', 'key', 'config'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const file of [hostKey, key]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const known = path.join(folder, 'known');
  writeFileSync(known, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  writeFileSync(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${key}.pub`,
      `Ciphers ${CIPHER}`,
      `PidFile ${folder}/pid`,
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      'StrictModes no',
      'UsePAM no',
      'Subsystem sftp internal-sftp',
      '',
    ].join('\n'),
  );
  // Where sshd puts itself away before it knows who is there; a machine that never ran it has none.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const daemon = spawn(server, ['-D', '-f', config], { stdio: 'ignore' });
  processes.adopt(daemon);
  await untilListening(port);
  return {
    name: 'scp',
    async turn(into) {
      const file = path.join(into, 'file');
      const began = performance.now();
      await run('scp', [
        '-q',
        '-P',
        String(port),
        '-i',
        key,
        '-c',
        CIPHER,
        '-F',
        'none',
        '-o',
        `UserKnownHostsFile=${known}`,
        '-o',
        'IdentitiesOnly=yes',
        '-o',
        'BatchMode=yes',
        `${os.userInfo().username}@127.0.0.1:${source}`,
        file,
      ]);
      return { seconds: (performance.now() - began) / 1000, file };
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const socket = net.connect({ host: '127.0.0.1', port });
    const isUp = await new Promise<boolean>((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it does not listen');
}
