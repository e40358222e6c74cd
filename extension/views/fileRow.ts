// One file in the view Files: what its row says, and what menus ask it for. Pure.
import { formatBytes } from '../../protocol/frontend/format.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { plural, printableName, t } from '../common/l10n.ts';
import { isHere } from '../state/localCopies.ts';
import { joined } from './row.ts';
import type { Row } from './row.ts';

/** What the row of a file tells beside the file itself. */
interface FileRowDetails {
  readonly label: string;
  /** Of this version, whole or not. */
  readonly localCopy: Transfer | undefined;
  /** A copy of an older version, where there is none of this one. */
  readonly older: Transfer | undefined;
  /** Whether somebody else has shared it since the person looked. */
  readonly isNew: boolean;
}

export function fileRow(
  { group, name: groupName, role }: GroupView,
  file: FileRow,
  { label, localCopy, older, isNew }: FileRowDetails,
): Row {
  const { name, version, sizeBytes, author, iShare } = file;
  const isWhole = localCopy !== undefined && isHere(localCopy);
  const isPartial = localCopy?.kind === 'download' && localCopy.state !== 'gone' && !isComplete(localCopy);
  const isSome = isWhole && localCopy.sizeBytes < sizeBytes; // chosen files of a folder
  const place =
    iShare || localCopy?.kind === 'share'
      ? t('shared by you')
      : isSome
        ? t('partly here')
        : isWhole
          ? t('here')
          : older
            ? t('update available')
            : isPartial
              ? downloadingText(localCopy)
              : '';
  const by = iShare ? '' : printableName(author);
  const size = formatBytes(sizeBytes);
  const seeds = availability(file);
  const versionText = version > 1 ? t('v{0}', version) : '';
  const flags = [
    'file',
    isWhole ? 'here' : isPartial ? 'partial' : 'remote',
    ...(isSome ? ['remote'] : []),
    ...(older ? ['update'] : []),
    ...(iShare || isWhole ? ['served'] : []),
    ...(role === 'owner' || iShare ? ['removable'] : []),
  ];
  return {
    id: `file:${group}:${name}`,
    label: printableName(label),
    // what is cut off in a narrow view stands last
    description: joined(isNew ? t('● new') : '', place, size, versionText, seeds, by),
    tooltip: {
      facts: JSON.stringify([file, localCopy?.path, older?.version]),
      lines: () => tooltipOf(file, isWhole ? localCopy : undefined, older),
    },
    icon: older
      ? { theme: 'arrow-circle-up', color: 'charts.blue' }
      : file.content === 'folder'
        ? { theme: 'folder' }
        : { file: name },
    context: flags.join(' '),
    command: 'openFilesRow',
    ...(file.content !== 'folder' && {
      shared: { place: { group: groupName, name, root: file.root, path: '' }, sizeBytes },
    }),
    subject: {
      group: groupName,
      file: name,
      ...(localCopy && { transfer: localCopy.id }),
      ...(isWhole && { path: localCopy.path }),
    },
    spoken: [
      printableName(name),
      isNew ? t('new') : '',
      size,
      version > 1 ? t('version {0}', version) : '',
      seeds,
      place,
      t('shared by {0}', printableName(author)),
    ]
      .filter((text) => text !== '')
      .join(', '),
  };
}

function downloadingText({ state }: Transfer): string {
  return state === 'failed' ? t('download failed') : state === 'paused' ? t('paused') : t('downloading');
}

/** Whether it could be had now. */
function availability({ seeders, leechers }: FileRow): string {
  if (seeders > 0) return plural(seeders, '{0} seeder', '{0} seeders');
  return leechers > 0 ? t('nobody online has all of it') : t('nobody online has it');
}

function tooltipOf(file: FileRow, localCopy: Transfer | undefined, older: Transfer | undefined): readonly string[] {
  const { name, version, sizeBytes, author, atMs, leechers, sharers, sharersCount, sha256 } = file;
  const when = new Date(atMs).toLocaleString();
  return [
    printableName(name),
    t('{0} ({1} bytes)', formatBytes(sizeBytes), sizeBytes.toLocaleString()),
    version > 1
      ? t('Version {0}, shared by {1}, {2}', version, printableName(author), when)
      : t('Shared by {0}, {1}', printableName(author), when),
    ...(older
      ? [
          older.version > 0
            ? t('You have version {0} of it; Download Update gets this one, and yours stays', older.version)
            : t('You have an older version of it; Download Update gets this one, and yours stays'),
        ]
      : []),
    `${availability(file)}${leechers > 0 ? `, ${t('{0} downloading', leechers)}` : ''}`,
    ...(sharersCount > 1
      ? [t('Sharers: {0}', sharers.map(printableName).join(', ') + (sharersCount > sharers.length ? ' …' : ''))]
      : []),
    ...(localCopy ? [t('On this machine: {0}', printableName(localCopy.path))] : []),
    `SHA-256 ${sha256}`,
  ];
}
