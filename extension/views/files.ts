// The view Files: what is shared in each of my groups, by name. Pure; a group's rows are made again only when its catalogue, or what we
// have of it, has changed.
import { amount } from '../../protocol/amounts.ts';
import type { Transfer } from '../../protocol/engineLink.ts';
import type { FileRow, GroupView } from '../../protocol/trackerLink.ts';
import type { Listing, WindowState } from '../state.ts';
import { contextKeysOf, isComplete, myGroups } from '../state.ts';
import { plural, shown, t } from '../words.ts';
import { troubleRow } from './groups.ts';
import type { Row } from './row.ts';

/** With so many groups or fewer all are open at first. */
const OPEN_GROUPS_MAX = 4;

export function fileRows(state: WindowState): readonly Row[] {
  if (contextKeysOf(state)['shoal.noFiles']) return []; // then the welcome text says what to do
  const groups = [...myGroups(state)].sort((a, b) => a.name.localeCompare(b.name));
  return groups.map((group) => {
    const files = state.files.get(group.group);
    const count = files?.isLoaded ? plural(files.rows.length, '{0} file', '{0} files') : '';
    return {
      id: `files:${group.group}`, label: shown(group.name), description: count, tooltip: [shown(group.name), ...(count === '' ? [] : [count])],
      icon: { theme: 'organization' }, context: 'filesGroup', subject: { group: group.name }, isCollapsed: groups.length > OPEN_GROUPS_MAX,
      children: files ? rowsOf(group, files, holdingsOf(group, state)) : [], spoken: t('Files of group {0}, {1}', shown(group.name), count),
    };
  });
}

/** What we have of a group's files: by name and root, so that another version under the same name is not mistaken for ours. */
type Holdings = ReadonlyMap<string, Transfer>;

function holdingsOf({ group }: GroupView, { transfers }: WindowState): Holdings {
  // Of a folder that is here in part and as a whole, the whole counts.
  const mine = [...transfers.values()].filter((transfer) => transfer.group === group).sort((a, b) => a.sizeBytes - b.sizeBytes);
  return new Map(mine.map((transfer) => [`${transfer.name}\n${transfer.root}`, transfer]));
}

const made = new WeakMap<Listing<FileRow>, { readonly key: string; readonly rows: readonly Row[] }>();

function rowsOf(group: GroupView, files: Listing<FileRow>, holdings: Holdings): readonly Row[] {
  const key = [...holdings.values()].map(({ id, state, path }) => `${id} ${state} ${path}`).join('\n') + group.role;
  const known = made.get(files);
  if (known?.key === key) return known.rows;
  const rows = [
    ...files.rows.map((file) => fileRow(group, file, holdings.get(`${file.name}\n${file.root}`))),
    ...(files.error ? [troubleRow(`files:${group.group}:error`, files.error.message)] : []),
  ];
  made.set(files, { key, rows });
  return rows;
}

function fileRow({ group, name: groupName, role }: GroupView, file: FileRow, holding: Transfer | undefined): Row {
  const { name, version, sizeBytes, seeders, leechers, author, iShare, sha256, atMs, sharers, sharersCount } = file;
  const isHere = holding !== undefined && holding.state !== 'gone' && (isComplete(holding) || (holding.kind === 'share' && holding.state === 'seeding'));
  const isPartial = holding?.kind === 'download' && holding.state !== 'gone' && !isHere;
  const isSome = isHere && holding.sizeBytes < sizeBytes; // chosen files of a folder
  const seeds = seeders > 0 ? plural(seeders, '{0} seeder', '{0} seeders') : t('nobody online has it');
  const place = iShare || holding?.kind === 'share' ? t('shared by you') : isSome ? t('partly here') : isHere ? t('here') : isPartial ? t('downloading') : '';
  const by = iShare ? '' : shown(author);
  const flags = ['file', isHere ? 'here' : isPartial ? 'partial' : 'remote', ...(isSome ? ['remote'] : []), ...(iShare || isHere ? ['served'] : []), ...(role === 'owner' || iShare ? ['removable'] : [])];
  return {
    id: `file:${group}:${name}`, label: shown(name), description: [amount(sizeBytes), seeds, place, by].filter((text) => text !== '').join(' · '),
    tooltip: [
      shown(name), t('{0} ({1} bytes), version {2}', amount(sizeBytes), sizeBytes.toLocaleString(), version),
      t('Shared by {0}, {1}', shown(author), new Date(atMs).toLocaleString()),
      `${seeds}${leechers > 0 ? `, ${plural(leechers, '{0} downloading', '{0} downloading')}` : ''}`,
      ...(sharersCount > 1 ? [t('Sharers: {0}', sharers.map(shown).join(', ') + (sharersCount > sharers.length ? ' …' : ''))] : []),
      ...(isHere && holding ? [t('On this machine: {0}', shown(holding.path))] : []),
      `SHA-256 ${sha256}`,
    ],
    icon: file.content === 'folder' ? { theme: 'folder' } : { file: name }, context: flags.join(' '),
    subject: { group: groupName, file: name, ...(holding && { transfer: holding.id }), ...(isHere && { path: holding.path }) },
    spoken: [shown(name), amount(sizeBytes), seeds, place, t('shared by {0}', shown(author))].filter((text) => text !== '').join(', '),
  };
}
