// `npm run package`: builds the bundles and packs them into dist/shoal-VERSION.vsix.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { packageExtension } from '../support/processes/vsix.ts';

execFileSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
const file = await packageExtension();
process.stdout.write(
  `${path.relative('', file)}  ${Math.ceil(statSync(file).size / 1024)} KiB\nInstall it with: code --install-extension ${path.relative('', file)}\n`,
);
