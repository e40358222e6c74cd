// The suites of test/vscode/suite, inside the extension host of a real VS Code: the server from
// npm, or the desktop build with SHOAL_VSCODE=desktop.
import assert from 'node:assert/strict';
import { globSync, rmSync } from 'node:fs';
import path from 'node:path';
import { closeBrowser } from './driver/browser.ts';
import { bundleSuite, runSuiteInExtensionHost } from './driver/suiteLauncher.ts';
import { RealProcesses } from '../support/processes/realProcesses.ts';
import { packageExtension } from '../support/processes/vsix.ts';

/** Beside node_modules, so that the bundle finds mocha. */
const BUNDLE = path.join(import.meta.dirname, '../../test-results', `suite-${process.pid}.cjs`);

describe('in the extension host', function () {
  this.timeout(180_000);
  const processes = new RealProcesses();
  after(async () => {
    await closeBrowser();
    await processes.close();
    rmSync(BUNDLE, { force: true });
  });

  it('all is as the manifest says', async () => {
    const suite = await bundleSuite(globSync(path.join(import.meta.dirname, 'suite/*.suite.ts')), BUNDLE);
    const { exitCode, output } = await runSuiteInExtensionHost({
      suite,
      vsix: await packageExtension(processes.makeFolder('package')),
      workspace: processes.makeFolder('workspace'),
      environment: { SHOAL_HOME: path.join(processes.folder, 'home') },
    });
    assert.equal(exitCode, 0, output);
    assert.match(output, /[1-9]\d* passing/);
  });
});
