// What VS Code leaves on disk when an extension goes, and what an engine makes of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { wasUninstalled } from '../../../../extension/engine/daemon/uninstalled.ts';

describe('an uninstalled extension', () => {
  const rows: [says: string, obsolete: string | undefined, isThere: boolean, gone: boolean][] = [
    ['is there while nothing says otherwise', undefined, true, false],
    ['is gone with its folder', undefined, false, true],
    ['is gone when VS Code has noted it', '{"shoal.shoal-0.1.0":true}', true, true],
    ['is not another one', '{"shoal.shoal-0.0.9":true}', true, false],
    ['is not taken from half a file', '{"shoal.shoal-0.1.0":tr', true, false],
  ];
  for (const [says, obsolete, isThere, gone] of rows) {
    it(says, () => {
      const extensions = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
      const folder = path.join(extensions, 'shoal.shoal-0.1.0');
      try {
        if (isThere) fs.mkdirSync(folder);
        if (obsolete !== undefined) fs.writeFileSync(path.join(extensions, '.obsolete'), obsolete);
        assert.equal(wasUninstalled(folder), gone);
      } finally {
        fs.rmSync(extensions, { recursive: true });
      }
    });
  }
});
