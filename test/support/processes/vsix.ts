// The .vsix that people install, made of the built bundles by vsce.
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVSIX } from '@vscode/vsce';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Where `npm run package` puts it. */
export function vsixPath(folder = path.join(ROOT, 'dist')): string {
  const { name, version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return path.join(folder, `${name}-${version}.vsix`);
}

/** Packages what lies in dist/ into a folder. Resolves to the file. */
export async function packageExtension(folder?: string): Promise<string> {
  const file = vsixPath(folder);
  mkdirSync(path.dirname(file), { recursive: true });
  await pack({ cwd: ROOT, packagePath: file });
  return file;
}

/** vsce without its words; warnings are errors here. */
export async function pack(options: {
  readonly cwd: string;
  readonly packagePath: string;
  readonly skipLicense?: boolean;
  readonly allowStarActivation?: boolean;
}): Promise<void> {
  const warnings: string[] = [];
  const { warn, error, log } = console;
  // vsce speaks to the console alone.
  console.warn = console.error = (...words: readonly unknown[]) => void warnings.push(words.join(' '));
  console.log = () => {};
  try {
    await createVSIX({ ...options, dependencies: false });
  } finally {
    Object.assign(console, { warn, error, log });
  }
  if (warnings.length > 0) throw new Error(`vsce is not content:\n${warnings.join('\n')}`);
}
