// The view Downloads: what is coming, what has come, and what this machine shares, with how far each is. Pure.
import { amount, duration, percent, rate } from '../../protocol/amounts.ts';
import type { Transfer } from '../../protocol/engineLink.ts';
import { fromWire } from '../../protocol/wireErrors.ts';
import type { WindowState } from '../state.ts';
import { isComplete } from '../state.ts';
import { missingWords } from '../swarmWords.ts';
import { plural, shown, t } from '../words.ts';
import type { Icon, Row } from './row.ts';

/** @param nowMs  by the wall clock: of what is missing it is said how long ago somebody had it */
export function downloadRows({ transfers }: WindowState, nowMs = Date.now()): readonly Row[] {
  const all = [...transfers.values()].sort((a, b) => b.id - a.id); // the newest first
  const downloads = all.filter(({ kind }) => kind === 'download');
  const section = (id: string, label: string, rows: readonly Transfer[], isCollapsed = false): readonly Row[] => (rows.length === 0 ? [] : [{
    id, label, description: String(rows.length), tooltip: [label], icon: { theme: id === 'sharing' ? 'broadcast' : id === 'completed' ? 'check-all' : 'cloud-download' },
    context: 'section', subject: {}, isCollapsed, children: rows.map((transfer) => transferRow(transfer, nowMs)), spoken: `${label}, ${rows.length}`,
  }]);
  return [
    ...section('downloading', t('Downloading'), downloads.filter((one) => !isComplete(one)).sort((a, b) => a.place - b.place)), // in the order of their turns
    ...section('completed', t('Completed'), downloads.filter(isComplete)),
    ...section('sharing', t('Shared by me'), all.filter(({ kind }) => kind === 'share'), downloads.length > 0),
  ];
}

function transferRow(transfer: Transfer, nowMs: number): Row {
  const { id, groupName, name, path, kind, error, sizeBytes, sha256 } = transfer;
  const words = progressOf(transfer, nowMs);
  const isHere = isComplete(transfer) ? transfer.state !== 'gone' : kind === 'share' && transfer.state === 'seeding';
  const trouble = error && fromWire(error).message;
  const flags = [kind, isHere ? 'here' : 'partial', transfer.state];
  return {
    id: `transfer:${id}`, label: shown(nameHere(transfer)), description: [words, shown(groupName)].join(' · '),
    tooltip: [
      shown(name), `${words}`, t('Group {0}, {1}', shown(groupName), amount(sizeBytes)), t('Place: {0}', shown(path)),
      ...(transfer.place === 0 || transfer.priority === 'normal' ? [] : [transfer.priority === 'high' ? t('High priority') : t('Low priority')]),
      ...limitsOf(transfer),
      ...(transfer.resumedPieces > 0 && !isHere ? [plural(transfer.resumedPieces, '{0} piece was here already', '{0} pieces were here already')] : []),
      ...(transfer.ownPieces > 0 ? [plural(transfer.ownPieces, '{0} piece was copied from another file of this machine', '{0} pieces were copied from other files of this machine')] : []),
      ...(transfer.rejectedPieces > 0 ? [plural(transfer.rejectedPieces, '{0} piece was damaged on its way and fetched again', '{0} pieces were damaged on their way and fetched again')] : []),
      ...(trouble === undefined ? [] : [trouble]), ...(sha256 ? [`SHA-256 ${sha256}`] : []),
    ],
    icon: iconOf(transfer), context: flags.join(' '), subject: { group: groupName, file: name, transfer: id, ...(isHere && { path }) },
    spoken: [shown(name), words, t('group {0}', shown(groupName)), ...(trouble === undefined ? [] : [trouble])].join(', '),
  };
}

function limitsOf({ downLimitBytesPerS: down, upLimitBytesPerS: up }: Transfer): readonly string[] {
  return [...(down > 0 ? [t('Limited to ↓ {0}', rate(down))] : []), ...(up > 0 ? [t('Limited to ↑ {0}', rate(up))] : [])];
}

/** What it is called on this machine: `name (2)` when the name was taken. */
function nameHere({ name, path, kind }: Transfer): string {
  const last = path.split(/[/\\]/).at(-1) ?? '';
  return kind === 'share' || last === '' ? name : [...name.split('/').slice(0, -1), last].join('/');
}

/** `63 % · 8.1 MiB/s · 5 peers · 12 s left`, or whatever says best how it stands. */
export function progressOf(transfer: Transfer, nowMs = Date.now()): string {
  const { state, kind, doneBytes, sizeBytes, downBytesPerS, upBytesPerS, peers, error } = transfer;
  const done = t('{0} %', percent(doneBytes, sizeBytes));
  const missing = error ? undefined : missingWords(transfer, nowMs);
  const up = upBytesPerS > 0 ? `↑ ${rate(upBytesPerS)}` : '';
  const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');
  switch (state) {
    case 'hashing': return join(t('hashing'), done);
    case 'checking': return join(t('checking'), done);
    case 'waiting': return join(done, t('waiting: {0}', missing ?? t('nobody online has it')));
    case 'downloading': return missing !== undefined ? join(done, plural(peers, '{0} peer', '{0} peers'), missing, up) : join(
      done, ...(error ? [fromWire(error).message] : []), downBytesPerS > 0 ? rate(downBytesPerS) : '', plural(peers, '{0} peer', '{0} peers'),
      downBytesPerS > 0 ? t('{0} left', duration((sizeBytes - doneBytes) / downBytesPerS)) : '', up);
    case 'seeding': return join(amount(sizeBytes), up, peers > 0 && up !== '' ? plural(peers, '{0} peer', '{0} peers') : '');
    case 'queued': return join(done, t('waiting for its turn'));
    case 'choosing': return t('choose its files');
    case 'paused': return join(isComplete(transfer) ? amount(sizeBytes) : done, t('paused'));
    case 'failed': return join(t('failed'), error ? fromWire(error).message : '');
    case 'gone': return kind === 'share' ? t('changed or gone: not shared any more') : t('changed or gone');
    case 'other': return done;
  }
}

function iconOf({ state, kind, error, name, content, nowhere }: Transfer): Icon {
  if (state === 'failed' || state === 'gone') return { theme: 'error', color: 'list.errorForeground' };
  if (state === 'paused') return { theme: 'debug-pause' };
  if (state === 'hashing' || state === 'checking') return { theme: 'sync' };
  if (state === 'choosing') return { theme: 'checklist' };
  if (state === 'queued') return { theme: 'list-ordered' };
  if (state === 'waiting' || error || nowhere) return { theme: 'watch' };
  if (state === 'downloading') return { theme: 'arrow-down' };
  return kind === 'share' || state === 'seeding' ? (content === 'folder' ? { theme: 'folder' } : { file: name }) : { theme: 'check' };
}
