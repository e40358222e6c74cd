// Verbs of files: what a group shares, and getting it.
import fs from 'node:fs';
import path from 'node:path';
import { printable, ShoalError, systemCode } from '../../../../protocol/base/errors.ts';
import { fileNameKey } from '../../../../protocol/base/names.ts';
import type { PickerMode, Transfer } from '../../../../protocol/messages/engineLink.ts';
import { createNodeDisk } from '../../../../protocol/node/nodeDisk.ts';
import { readPages } from '../../../../protocol/frontend/pagination.ts';
import { readAhead } from '../../../../protocol/frontend/readAhead.ts';
import { findSecrets } from '../../../../protocol/frontend/secretDetection.ts';
import type { FileRow } from '../../../../protocol/messages/trackerLink.ts';
import { parseBytes, parseSeconds, parseWord } from '../arguments.ts';
import { folderFiles } from './folderList.ts';
import { followDownload, followShare, printAlreadyHere } from './follow.ts';
import { formatBytes } from '../../../../protocol/frontend/format.ts';
import { table } from '../table.ts';
import { classicLine, transferTable } from '../transferTable.ts';
import type { Session } from '../session.ts';
import type { CommandInput, CommandFamily } from './command.ts';
import { printDone, ROWS_READ_MAX } from './command.ts';

export const MODES: readonly PickerMode[] = ['rarest', 'random', 'sequential', 'auto'];

/** Names in the sentence about secrets. */
const SECRETS_NAMED_MAX = 3;

/** Where downloads go when nothing else is said: here. */
const DOWNLOADS = 'downloads';

export const DETACH = ['--detach', 'return at once; the engine goes on in the background'] as const;

export const fileCommands: CommandFamily = {
  title: 'Files:',
  commands: [
    {
      usage: 'list_files <group> [folder]',
      aliases: 'list_file',
      summary: 'show what a group shares, or what is in a shared folder',
      details:
        'SEEDERS is how many who are online have all of a file. A file that nobody online has can be ' +
        'asked for; it comes when somebody who has it does. With the name of a shared FOLDER: the files ' +
        'in it, for download_file --only; its list is fetched for that from whoever has it.',
      json:
        '[{"name", "version", "root", "sizeBytes", "pieceBytes", "sha256", "content", "author", "atMs", ' +
        '"sharers", "sharersCount", "iShare", "seeders", "leechers"}]; of a folder [{"path", ' +
        '"sizeBytes"}], before it lines of {"progress": {…}} while its list comes',
      async run(session, { args: [group = '', folder] }) {
        if (folder !== undefined) return listFolder(session, group, folder);
        const files = await readPages<FileRow>({
          call: 'listFiles',
          nameOf: ({ name }) => name,
          keyOf: fileNameKey,
          rowsMax: ROWS_READ_MAX,
          page: async (after) => {
            const { files: rows, more } = await session.call('listFiles', { group, after });
            return { rows, more };
          },
        });
        if (files.length === 0) {
          session.note(
            `${printable(group)} shares nothing yet. Share a file with: shoal upload_file PATH ${printable(group)}`,
          );
        }
        session.print(
          files.length === 0
            ? []
            : table(files, [
                { title: 'NAME', of: ({ name, content }) => (content === 'folder' ? `${name}/` : name) },
                { title: 'SIZE', align: 'right', of: ({ sizeBytes }) => formatBytes(sizeBytes) },
                { title: 'SEEDERS', align: 'right', of: seedersText },
                { title: 'AUTHOR', of: ({ author }) => author },
                { title: 'VERSION', align: 'right', of: ({ version }) => version },
              ]),
          files,
        );
      },
    },
    {
      usage: 'upload_file <path> <group>',
      aliases: 'share',
      summary: 'share a file or folder in a group',
      details:
        'A folder is one share with all files in it; links, empty folders and what other programs trust ' +
        '(.git, .vscode, .ssh …) are left out. What is shared stays where it is; only its name, size and ' +
        'hashes go to the tracker. Members download it from you, and from each other, while your engine ' +
        'runs. Stays until the file is hashed and shared; Ctrl-C leaves that to the engine.',
      json:
        '{"transfer", "group", "name", "sizeBytes", "root", "sha256", "path"}; before it lines of ' +
        '{"progress": {"transfer", "state", "doneBytes", "sizeBytes", …}}',
      options: [
        ['--name <name>', "the name others see (default: the file's own)"],
        ['--replace', 'make it the new version of a file that another member shares under this name'],
        ['--secrets', 'share it although it may hold secrets: keys, .env and the like, by names and first bytes'],
        DETACH,
      ],
      examples: ['upload_file dump.sql team', 'share build/app.img team --name app-1.2.img'],
      async run(session, { args: [file = '', group = ''], options }) {
        const at = session.path(file);
        const name = typeof options['name'] === 'string' ? options['name'] : undefined;
        if (options['secrets'] !== true) await refuseSecrets(session, at);
        const { transfer } = await session.call('share', {
          group,
          path: at,
          name,
          replace: options['replace'] === true,
        });
        if (options['detach'] !== true) return followShare(session, transfer, at);
        session.print(
          `Sharing ${printable(name ?? path.basename(at))} in ${printable(group)} as soon as it is hashed; ` +
            '`shoal status` shows how far it is.',
          { transfer, group, name: name ?? path.basename(at), path: at },
        );
      },
    },
    {
      usage: 'download_file <group> <name> [dest]',
      aliases: 'get',
      summary: 'get a file or folder from everyone in the group who has it',
      details:
        `DEST is a folder that exists, or the file to make; by default the folder ${DOWNLOADS} here, ` +
        'which is made. Every piece is verified before it is written, and the file appears under its ' +
        'name when it is whole. You serve what you have while you download and afterwards. If nobody ' +
        'online has it, the download waits. Ctrl-C leaves the download to the engine; the same command ' +
        'joins it again, or says that it is done.',
      json:
        '{"transfer", "group", "name", "sizeBytes", "sha256", "path", "sources": [{"user", "pin", ' +
        '"pieces", "bytes"}]}; before it lines of {"progress": {…}}',
      options: [
        ['--rename', 'take another name, such as "name (2)", when the name is taken'],
        ['--mode <mode>', `which pieces first: ${MODES.join(', ')} (default: auto)`],
        [
          '--only <pattern...>',
          'of a folder only these files or folders in it (list_files shows them); * ** and ? stand for any part of a name',
        ],
        ['--no-wait', 'end with exit code 5 when nobody online has it'],
        ['--timeout <time>', 'the same after so many seconds (or 5min, 1h) in which nobody had it'],
        DETACH,
      ],
      examples: [
        'download_file team dump.sql',
        'get team dump.sql /data --no-wait',
        "get team dataset --only 'images/*.png' README.md",
      ],
      run: (session, { args: [group = '', name = '', dest], options }) =>
        downloadFile(session, { group, name, dest }, options),
    },
    {
      usage: 'cat <group> <name> [path]',
      summary: 'print a file without downloading it',
      details:
        'PATH names a file in a shared folder. The bytes come in order, verified, from this machine if ' +
        'they are here and from the group otherwise, and nothing is kept. When nobody online gives them, ' +
        'it ends with exit code 5.',
      json: 'the bytes of the file, as without it; only an error is JSON',
      options: [['--head <bytes>', 'only so many bytes from the beginning (64k, 1M)']],
      examples: ['cat team dump.sql | less', 'cat team dataset README.md', 'cat team movie.mkv --head 1M | file -'],
      async run(session, { args: [group = '', name = '', inside = ''], options }) {
        const head = options['head'] === undefined ? Infinity : parseBytes('--head', String(options['head']));
        const { name: file, root } = await session.call('findFile', { group, name });
        const { sizeBytes } = await session.call('read', {
          group,
          name: file,
          root,
          path: inside,
          fromByte: 0,
          bytes: 0,
        });
        const read = (fromByte: number, into: Uint8Array, signal: AbortSignal): Promise<number> =>
          session.read({ group, name: file, root, path: inside, fromByte, bytes: into.length }, into, signal);
        for await (const bytes of readAhead(read, 0, Math.min(sizeBytes, head))) {
          if (!(await session.terminal.bytes(bytes))) return;
        }
      },
    },
    {
      usage: 'show_downloads',
      summary: 'show what is being downloaded [D] and what is complete [C]',
      json:
        '[{"id", "group", "groupName", "name", "state", "sizeBytes", "doneBytes", "pieces", ' +
        '"heldPieces", "downBytesPerS", "upBytesPerS", "peers", "path", "error", …}]',
      options: [['--long', 'also size, progress, rates and place']],
      async run(session, { options }) {
        const { transfers } = await session.watch();
        const downloads = [...transfers.values()].filter(({ kind }) => kind === 'download').sort((a, b) => a.id - b.id);
        if (downloads.length === 0) session.note('No downloads. Get a file with: shoal download_file GROUP NAME');
        session.print(
          options['long'] === true && downloads.length > 0 ? transferTable(downloads) : downloads.map(classicLine),
          downloads,
        );
      },
    },
    {
      usage: 'stop_share <group> <name>',
      summary: 'do not share a file any more',
      details:
        'The file itself stays. Others who have it go on sharing it; when nobody does, it stays listed so that it can be shared again.',
      json: '{"group", "name", "removed", "durability"}',
      options: [['--remove', "also take it off the group's list (its author or the group's owner can)"]],
      async run(session, { args: [group = '', name = ''], options }) {
        const remove = options['remove'] === true;
        const done = await session.call('stopShare', { group, name, remove });
        const what = `${printable(name)} in ${printable(group)}`;
        await printDone(
          session,
          remove ? `Removed ${what}.` : `You do not share ${what} any more.`,
          { group, name, removed: remove },
          done,
        );
      },
    },
  ],
};

/**
 * Nobody is asked here, so what may be secret has to be named on purpose. @throws ShoalError
 * maybeSecret
 */
async function refuseSecrets(session: Session, place: string): Promise<void> {
  const { found, isWhole } = await findSecrets(createNodeDisk(), place);
  if (found.length === 0) {
    return isWhole
      ? undefined
      : session.note('The folder has too many files for all of them to be looked at for secrets.');
  }
  const names = found
    .slice(0, SECRETS_NAMED_MAX)
    .map((secret) => printable(secret.path))
    .join(', ');
  throw new ShoalError('maybeSecret', {
    names: found.length > SECRETS_NAMED_MAX ? `${names} and ${found.length - SECRETS_NAMED_MAX} more` : names,
  });
}

/**
 * Downloads as the options of download_file say; those that are not given count as they do there.
 */
export async function downloadFile(
  session: Session,
  { group, name, dest }: { readonly group: string; readonly name: string; readonly dest: string | undefined },
  options: CommandInput['options'],
): Promise<number | void> {
  const mode = options['mode'] === undefined ? 'auto' : parseWord('--mode', MODES, String(options['mode']));
  const waitS = options['timeout'] === undefined ? undefined : parseSeconds(String(options['timeout']));
  const file = await session.call('findFile', { group, name }); // before any folder is made
  const place = destination(session, dest);
  const rename = options['rename'] === true;
  const only = Array.isArray(options['only']) ? (options['only'] as readonly string[]) : [];
  const here =
    rename || only.length > 0
      ? undefined
      : await localCopyOf(session, place.asFile ? place.path : path.join(place.path, ...file.name.split('/')), file);
  if (here) return printAlreadyHere(session, here);
  const { transfer } = await session.call('download', { group, name: file.name, ...place, rename, mode, only });
  if (options['detach'] !== true) {
    return followDownload(session, transfer, { file, noWait: options['wait'] === false, waitS });
  }
  session.print(
    `Downloading ${printable(file.name)} in the background; \`shoal show_downloads --long\` shows how far it is.`,
    { transfer, group, name: file.name },
  );
}

async function listFolder(session: Session, group: string, name: string): Promise<number | void> {
  const files = await folderFiles(session, group, await session.call('findFile', { group, name }));
  if (typeof files === 'number') return files;
  session.print(
    table(files, [
      { title: 'SIZE', align: 'right', of: ({ sizeBytes }) => formatBytes(sizeBytes) },
      { title: 'PATH', of: ({ path: file }) => file },
    ]),
    files,
  );
}

function seedersText({ seeders, leechers }: FileRow): string {
  if (seeders > 0) return String(seeders);
  return leechers > 0 ? `parts: ${leechers}` : 'nobody';
}

/**
 * A copy of just this file that was downloaded to just this place, unchanged since: there is
 * nothing to do.
 */
async function localCopyOf(session: Session, at: string, { root }: FileRow): Promise<Transfer | undefined> {
  const { transfers } = await session.watch();
  return [...transfers.values()].find(
    (transfer) =>
      transfer.kind === 'download' && transfer.state === 'seeding' && transfer.root === root && transfer.path === at,
  );
}

/** Where a download goes. @throws ShoalError destinationUnwritable */
function destination(session: Session, dest: string | undefined): { readonly path: string; readonly asFile: boolean } {
  const at = session.path(dest ?? DOWNLOADS);
  const unwritable = (folder: string, why: string): ShoalError =>
    new ShoalError('destinationUnwritable', { path: folder, why });
  try {
    if (dest === undefined || /[/\\]$/.test(dest)) fs.mkdirSync(at, { recursive: true });
    if (fs.statSync(at, { throwIfNoEntry: false })?.isDirectory()) return { path: at, asFile: false };
    const folder = path.dirname(at);
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw unwritable(at, `there is no folder ${folder}`);
    }
    return { path: at, asFile: true };
  } catch (error) {
    throw error instanceof ShoalError ? error : unwritable(at, systemCode(error) ?? String(error));
  }
}
