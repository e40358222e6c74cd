// Packages a small extension made of one source file, to be installed beside the product.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { pack } from '../../support/processes/vsix.ts';

/**
 * Makes the package in a folder; resolves to its path.
 *
 * @param manifest  `name`, `contributes`, and whatever else differs from what is usual here
 * @param source  a TypeScript file that exports `activate`
 */
export async function packExtension(
  folder: string,
  manifest: { readonly name: string } & Readonly<Record<string, unknown>>,
  source: string,
): Promise<string> {
  const sources = path.join(folder, manifest.name);
  mkdirSync(sources, { recursive: true });
  writeFileSync(
    path.join(sources, 'package.json'),
    JSON.stringify({
      publisher: 'shoal-test',
      version: '0.0.1',
      license: 'MIT',
      repository: { type: 'git', url: 'https://example.com/extension.git' },
      engines: { vscode: '^1.105.0' },
      main: './main.js',
      activationEvents: ['onStartupFinished'],
      ...manifest,
    }),
  );
  writeFileSync(path.join(sources, '.vscodeignore'), ''); // else vsce warns
  for (const name of ['README.md', 'LICENSE']) writeFileSync(path.join(sources, name), 'An extension for a test.\n');
  await build({
    entryPoints: [source],
    outfile: path.join(sources, 'main.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
    logLevel: 'error',
  });
  const packagePath = path.join(folder, `${manifest.name}.vsix`);
  await pack({ cwd: sources, packagePath, skipLicense: true, allowStarActivation: true });
  return packagePath;
}
