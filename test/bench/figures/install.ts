// Other programs to measure beside ours: what npm has goes into a folder beside the reports, what
// Debian has is installed by root alone.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('../../../test-results/anchors/', import.meta.url));
/** How long an installation may take, in ms. */
const INSTALL_MS_MAX = 180_000;

const run = promisify(execFile);

/**
 * The folder of an npm package. It is installed without scripts: what those would compile is WebRTC
 * and µTP.
 */
export async function npmPackage(name: string): Promise<string> {
  const folder = path.join(FOLDER, 'node_modules', name);
  if (!existsSync(folder)) {
    mkdirSync(FOLDER, { recursive: true });
    if (!existsSync(path.join(FOLDER, 'package.json'))) {
      writeFileSync(path.join(FOLDER, 'package.json'), '{"private":true}\n');
    }
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--omit=dev', '--omit=optional', '--ignore-scripts', name],
      { cwd: FOLDER, timeout: INSTALL_MS_MAX, shell: process.platform === 'win32' },
    );
  }
  return folder;
}

/**
 * Sees to it that a file is there that a Debian package brings. @throws Error that says what is
 * missing
 */
export async function debianPackage(name: string, file: string): Promise<string> {
  if (!existsSync(file)) {
    if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
      throw new Error(`${name} is not there, and only root on Debian can install it`);
    }
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
      timeout: INSTALL_MS_MAX,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  return file;
}
