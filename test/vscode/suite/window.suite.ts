// Runs inside a real extension host, with the packaged extension installed: what VS Code itself
// says of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { COMMAND_NAMES } from '../../../extension/commands/registry.ts';
import { parseArguments } from '../../../extension/commands/context.ts';
import type { CommandContext } from '../../../extension/commands/context.ts';
import { addToIgnored, downloadFolder, gitRootOf, isIgnored } from '../../../extension/prompts/downloadFolder.ts';
import { engineSettings, listenProblem, setting, SETTINGS } from '../../../extension/common/settings.ts';
import type { SettingName } from '../../../extension/common/settings.ts';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly views: { readonly shoal: readonly { readonly id: string; readonly name: string }[] };
    readonly configuration: readonly {
      readonly title: string;
      readonly properties: Readonly<
        Record<
          string,
          {
            readonly type: string;
            readonly default: unknown;
            readonly scope: string;
            readonly enum?: readonly string[];
            readonly markdownDescription: string;
          }
        >
      >;
    }[];
  };
}

describe('the extension in its host', () => {
  const extension = vscode.extensions.getExtension<void>('shoal.shoal');
  const manifest = extension?.packageJSON as Manifest;

  before(async () => {
    assert.ok(extension, 'it is not installed');
    await extension.activate();
  });

  it('is the packaged one', () => {
    assert.ok(extension);
    assert.ok(extension.extensionPath.includes('extensions'), extension.extensionPath);
    assert.deepEqual(fs.readdirSync(path.join(extension.extensionPath, 'dist')).sort(), [
      'engine.js',
      'extension.cjs',
      'package.json',
      'tracker.js',
      'webview',
    ]);
    assert.ok(!fs.existsSync(path.join(extension.extensionPath, 'test')));
  });

  it('runs beside the files, and is active', () => {
    assert.equal(extension?.extensionKind, vscode.ExtensionKind.Workspace);
    assert.equal(extension?.isActive, true);
  });

  it('has a handler for every command of its manifest, and no other', async () => {
    const declared = manifest.contributes.commands.map(({ command }) => command).sort();
    assert.deepEqual(COMMAND_NAMES.map((name) => `shoal.${name}`).sort(), declared);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      declared.filter((command) => !registered.has(command)),
      [],
    );
  });

  it('takes a row or a file of what a command is given, and anything else for nothing', () => {
    const selected = { row: { subject: { group: 'team' } } };
    const view = { view: { selection: [selected] } } as unknown as CommandContext['views']['files'];
    const given = (...args: readonly unknown[]) =>
      parseArguments(args, { views: { groups: view, files: view, downloads: view } });
    const file = vscode.Uri.file('/w/a.txt');
    for (const other of ['a text', 7, null, undefined, { other: true }, ['x']]) {
      assert.deepEqual(given(other, [other]), { argument: undefined, selection: [] });
    }
    assert.deepEqual(given(file, [file, 'x']), { argument: file, selection: [file] });
    assert.deepEqual(given(selected), { argument: selected, selection: undefined });
    assert.deepEqual(given({ resourceUri: file }), { argument: file, selection: [file] });
    assert.deepEqual(given({ selectedIn: 'files' }), { argument: selected, selection: [selected] });
  });

  it('has titles and descriptions in words, not keys', () => {
    for (const { title } of manifest.contributes.commands) assert.doesNotMatch(title, /%/);
    for (const { name } of manifest.contributes.views.shoal) assert.doesNotMatch(name, /%/);
    for (const { title, properties } of manifest.contributes.configuration) {
      for (const text of [title, ...Object.values(properties).map(({ markdownDescription }) => markdownDescription)]) {
        assert.doesNotMatch(text, /^%/);
      }
    }
  });

  it('declares the settings that it reads, with their defaults, and none that a repository can set', () => {
    const declared = Object.assign(
      {},
      ...manifest.contributes.configuration.map(({ properties }) => properties),
    ) as Manifest['contributes']['configuration'][number]['properties'];
    assert.deepEqual(
      Object.keys(declared).sort(),
      Object.keys(SETTINGS)
        .map((name) => `shoal.${name}`)
        .sort(),
    );
    for (const [name, row] of Object.entries(SETTINGS)) {
      const { type, default: value, scope, enum: words } = declared[`shoal.${name}`] ?? assert.fail(name);
      assert.deepEqual(
        [type, value, scope, words],
        [row.type, row.default, row.scope, 'oneOf' in row ? row.oneOf : undefined],
        name,
      );
      assert.ok(row.scope === 'machine' || row.scope === 'application', name);
    }
  });

  it('does not listen to what a workspace says of its settings', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    fs.mkdirSync(path.join(folder.uri.fsPath, '.vscode'), { recursive: true });
    fs.writeFileSync(
      path.join(folder.uri.fsPath, '.vscode', 'settings.json'),
      JSON.stringify({ 'shoal.tracker': 'evil.example:7070', 'shoal.downloadFolder': '/', 'editor.rulers': [77] }),
    );
    // A setting that a workspace may set tells that the file was read.
    await until(() => vscode.workspace.getConfiguration('editor').get<number[]>('rulers')?.[0] === 77);
    assert.equal(setting('tracker'), '');
    assert.equal(downloadFolder().folder, path.join(folder.uri.fsPath, 'downloads'));
  });

  it('takes a setting that is nothing usable for its default', async () => {
    const set = (name: SettingName, value: unknown) =>
      vscode.workspace.getConfiguration('shoal').update(name, value, vscode.ConfigurationTarget.Global);
    await set('pieceSelection', 'fastest');
    assert.equal(setting('pieceSelection'), 'auto');
    await set('pieceSelection', undefined);
    await set('uploadLimit', 100);
    assert.deepEqual(engineSettings(), {
      downLimitBytesPerS: undefined,
      upLimitBytesPerS: 102_400,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    });
    await set('uploadLimit', undefined);
    assert.deepEqual(engineSettings(['uploadLimit']).upLimitBytesPerS, 0, 'what was unset is told, once');
    assert.deepEqual(
      Object.values(engineSettings()).filter((value) => value !== undefined),
      [],
    );
  });

  it('says what is wrong with a place to listen on', () => {
    for (const right of ['', '7000', ':7000', '127.0.0.1:7000', '[::1]:7000', '*:7000']) {
      assert.equal(listenProblem(right), undefined, right);
    }
    for (const wrong of ['everywhere', '70000', 'a b:1', '127.0.0.1']) {
      assert.match(listenProblem(wrong) ?? '', /shoal\.listen/, wrong);
    }
  });

  it('runs no engine as long as nobody is signed in', () => {
    const home = process.env['SHOAL_HOME'] ?? assert.fail('no home');
    assert.equal(fs.existsSync(path.join(home, 'engine.json')), false);
  });

  it('puts downloads into the workspace, where git shall not see them', () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const root = folder?.uri.fsPath ?? assert.fail();
    const downloads = downloadFolder().folder;
    assert.equal(gitRootOf(downloads), undefined);
    fs.mkdirSync(path.join(root, '.git'));
    assert.equal(gitRootOf(downloads), root);
    const file = path.join(root, '.gitignore');
    for (const [before, after] of [
      [undefined, '/downloads/\n'],
      ['dist', 'dist\n/downloads/\n'],
      ['dist\r\n', 'dist\r\n/downloads/\r\n'],
    ] as const) {
      if (before !== undefined) fs.writeFileSync(file, before);
      assert.equal(isIgnored(root, downloads), false);
      addToIgnored(root, downloads);
      assert.equal(fs.readFileSync(file, 'utf8'), after);
      assert.equal(isIgnored(root, downloads), true);
    }
  });

  it('answers every command that needs an account by saying so', async () => {
    // It resolves: the sentence is shown, nothing is thrown at whoever called.
    await vscode.commands.executeCommand('shoal.createGroup');
    await vscode.commands.executeCommand('shoal.downloadFile');
  });

  it('copies diagnostics without anything secret', async () => {
    await vscode.commands.executeCommand('shoal.copyDiagnostics');
    const report = JSON.parse(await vscode.env.clipboard.readText()) as Record<string, unknown>;
    assert.equal(report['phase'], 'noTracker');
    assert.doesNotMatch(JSON.stringify(report), /secret|password/i);
  });
});

/** Resolves when a condition holds that VS Code brings about by itself. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      const listening = vscode.workspace.onDidChangeConfiguration(() => {
        listening.dispose();
        resolve();
      });
      if (holds()) {
        listening.dispose();
        resolve();
      }
    });
  }
}
