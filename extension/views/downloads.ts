// The view Downloads: what is coming, what has come, and what this machine shares, with how far
// each is. Pure.
import { formatBytes, formatPercent, formatRate } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import { fromWire } from '../../protocol/wire/wireErrors.ts';
import { isComplete, isUnfinished } from '../../protocol/frontend/transferState.ts';
import { errorPhrase } from '../messages/errorMessages.ts';
import { fileNamed, LocalCopies, isOlder } from '../state/localCopies.ts';
import type { WindowState } from '../state/state.ts';
import { unavailableText } from '../messages/swarmText.ts';
import { progressTextWith } from '../messages/transferText.ts';
import { plural, printableName, t } from '../common/l10n.ts';
import { LazyRows } from './row.ts';
import type { Icon, Row } from './row.ts';

/**
 * How far a download that was resumed says so in its row, in per cent of the whole: then it is one
 * like others.
 */
const RESUMED_PERCENT = 5;
/** From when on it is told how much was uploaded of a file: part of it. */
const UPLOADED_MIN = 0.05;

/**
 * @param opening  downloads that this window opens when they are done
 * @param nowMs  by the wall clock: of what is missing it is said how long ago somebody had it
 */
export function downloadRows(
  state: WindowState,
  opening: ReadonlySet<number> = new Set(),
  nowMs = Date.now(),
): readonly Row[] {
  const all = [...state.transfers.values()].sort((a, b) => b.id - a.id); // the newest first
  const downloads = all.filter(({ kind }) => kind === 'download');
  const ageOf = ages(state);
  const section = (id: string, label: string, rows: readonly Transfer[], isCollapsed = false): readonly Row[] =>
    rows.length === 0
      ? []
      : [
          {
            id,
            label,
            description: String(rows.length),
            tooltip: [label],
            icon: { theme: id === 'sharing' ? 'broadcast' : id === 'completed' ? 'check-all' : 'cloud-download' },
            context: `section ${id}`,
            subject: {},
            isCollapsed,
            children: new LazyRows(() =>
              rows.map((one) =>
                rowOf(one, {
                  opens: opening.has(one.id) && isUnfinished(one),
                  age: ageOf(one),
                  missing: unavailableText(one, nowMs),
                }),
              ),
            ),
            spoken: `${label}, ${rows.length}`,
          },
        ];
  return [
    ...section(
      'downloading',
      t('Downloading'),
      downloads.filter(isUnfinished).sort((a, b) => a.place - b.place),
    ), // in the order of their turns
    ...section('completed', t('Completed'), downloads.filter(isComplete)),
    ...section(
      'sharing',
      t('Shared by you'),
      all.filter(({ kind }) => kind === 'share'),
      downloads.length > 0,
    ),
  ];
}

/** What the row of a transfer tells beside the transfer itself. */
interface RowDetails {
  /** Whether this window opens it when it is done. */
  readonly opens: boolean;
  /** Whether the group has a newer version, and whether that is here or on its way already. */
  readonly age: 'newest' | 'outdated' | 'superseded';
  /** What of it nobody at hand has, in words. */
  readonly missing: string | undefined;
}

/** Knows the newer versions; of each group what we have of it is looked up once. */
function ages(state: WindowState): (transfer: Transfer) => RowDetails['age'] {
  const byGroup = new Map<GroupId, LocalCopies>();
  return (transfer) => {
    if (transfer.kind === 'download' && !isComplete(transfer)) return 'newest';
    const file = fileNamed(state, transfer.group, transfer.name);
    if (!file || !isOlder(transfer, file, state.overview?.account?.user ?? '')) return 'newest';
    const localCopies = byGroup.get(transfer.group) ?? new LocalCopies(transfer.group, state);
    byGroup.set(transfer.group, localCopies);
    return localCopies.olderThan(file) ? 'outdated' : 'superseded';
  };
}

const rowCache = new WeakMap<Transfer, { readonly key: string; readonly row: Row }>();

/**
 * Made again only when something of it has changed: there may be thousands of shares, of which one
 * moves.
 */
function rowOf(transfer: Transfer, details: RowDetails): Row {
  const key = `${details.opens} ${details.age} ${details.missing ?? ''}`;
  const cached = rowCache.get(transfer);
  if (cached?.key === key) return cached.row;
  const row = transferRow(transfer, details);
  rowCache.set(transfer, { key, row });
  return row;
}

function transferRow(transfer: Transfer, details: RowDetails): Row {
  const { id, groupName, name, path, kind, error } = transfer;
  const progress = progressTextWith(transfer, details.missing);
  const parts = [
    ...(isJustResumed(transfer) ? [t('resumed at {0} %', resumedPercent(transfer))] : []),
    progress,
    ...descriptionOf(transfer, details),
  ];
  const isWhole = isComplete(transfer) ? transfer.state !== 'gone' : kind === 'share' && transfer.state === 'seeding';
  const problem = error && errorPhrase(fromWire(error));
  const isOutdated = details.age === 'outdated';
  const flags = [
    kind,
    isWhole ? 'here' : 'partial',
    transfer.state,
    ...(details.opens ? ['opens'] : []),
    ...(isOutdated ? ['update'] : []),
  ];
  return {
    id: `transfer:${id}`,
    label: printableName(localName(transfer)),
    description: [...parts, printableName(groupName)].join(' · '),
    tooltip: tooltipOf(transfer, details),
    icon: isOutdated ? { theme: 'arrow-circle-up', color: 'charts.blue' } : iconOf(transfer),
    context: flags.join(' '),
    subject: { group: groupName, file: name, transfer: id, ...(isWhole && { path }) },
    ...(isWhole && { command: 'openDownloadsRow' }),
    spoken: [
      printableName(name),
      ...parts,
      t('group {0}', printableName(groupName)),
      ...(problem === undefined ? [] : [problem]),
    ].join(', '),
  };
}

function descriptionOf(transfer: Transfer, { opens, age }: RowDetails): readonly string[] {
  const { version } = transfer;
  return [
    ...(age === 'outdated'
      ? [t('update available')]
      : age === 'superseded'
        ? [version > 0 ? t('older version, v{0}', version) : t('older version')]
        : []),
    ...(opens ? [t('opens when done')] : []),
  ];
}

function tooltipOf(transfer: Transfer, { opens, age, missing }: RowDetails): readonly string[] {
  const { name, groupName, sizeBytes, path, place, priority, ownPieces, rejectedPieces, error, sha256 } = transfer;
  const resumed = resumedText(transfer);
  const [progress, size] = [progressTextWith(transfer, missing), formatBytes(sizeBytes)];
  return [
    printableName(name),
    ...(progress === size ? [] : [progress]),
    t('Group {0}, {1}', printableName(groupName), size),
    t('Place: {0}', printableName(path)),
    ...(place === 0 || priority === 'normal' ? [] : [priority === 'high' ? t('High priority') : t('Low priority')]),
    ...limitsOf(transfer),
    ...uploadedText(transfer),
    ...(age === 'outdated'
      ? [t('The group has a newer version; Download Update gets it, and this file stays')]
      : age === 'superseded'
        ? [t('The group has a newer version')]
        : []),
    ...(opens ? [t('It is opened when it is done')] : []),
    ...(resumed === '' ? [] : [resumed]),
    ...(ownPieces > 0
      ? [
          plural(
            ownPieces,
            '{0} piece was copied from another file of this machine',
            '{0} pieces were copied from other files of this machine',
          ),
        ]
      : []),
    ...(rejectedPieces > 0
      ? [
          plural(
            rejectedPieces,
            '{0} piece was damaged on its way and fetched again',
            '{0} pieces were damaged on their way and fetched again',
          ),
        ]
      : []),
    ...(error === undefined ? [] : [errorPhrase(fromWire(error))]),
    ...(sha256 ? [`SHA-256 ${sha256}`] : []),
  ];
}

/** What an earlier run had left: nothing of that is fetched again. */
function resumedText(transfer: Transfer): string {
  const { resumedPieces, pieces } = transfer;
  if (resumedPieces === 0 || isComplete(transfer) || transfer.state === 'seeding') return '';
  return plural(
    resumedPieces,
    'Resumed at {1} %: {0} of {2} pieces was here already',
    'Resumed at {1} %: {0} of {2} pieces were here already',
    resumedPercent(transfer),
    pieces.toLocaleString(),
  );
}

const resumedPercent = ({ resumedPieces, pieces }: Transfer): number =>
  Math.min(99, formatPercent(resumedPieces, pieces));

const isJustResumed = (transfer: Transfer): boolean =>
  ['downloading', 'waiting', 'queued'].includes(transfer.state) &&
  transfer.resumedPieces > 0 &&
  formatPercent(transfer.heldPieces, transfer.pieces) < resumedPercent(transfer) + RESUMED_PERCENT;

function uploadedText({ uploadedBytes, sizeBytes }: Transfer): readonly string[] {
  const times = sizeBytes > 0 ? uploadedBytes / sizeBytes : 0;
  return times < UPLOADED_MIN ? [] : [t('You have uploaded {0} × of it since Shoal started', times.toFixed(1))];
}

function limitsOf({ downLimitBytesPerS: down, upLimitBytesPerS: up }: Transfer): readonly string[] {
  return [
    ...(down > 0 ? [t('Limited to ↓ {0}', formatRate(down))] : []),
    ...(up > 0 ? [t('Limited to ↑ {0}', formatRate(up))] : []),
  ];
}

/** What it is called on this machine: `name (2)` when the name was taken. */
function localName({ name, path, kind }: Transfer): string {
  const last = path.split(/[/\\]/).at(-1) ?? '';
  return kind === 'share' || last === '' ? name : [...name.split('/').slice(0, -1), last].join('/');
}

function iconOf({ state, kind, error, name, content, nowhere }: Transfer): Icon {
  if (state === 'failed' || state === 'gone') return { theme: 'error', color: 'list.errorForeground' };
  if (state === 'paused') return { theme: 'debug-pause' };
  if (state === 'hashing' || state === 'checking') return { theme: 'sync' };
  if (state === 'choosing') return { theme: 'checklist' };
  if (state === 'queued') return { theme: 'list-ordered' };
  if (state === 'waiting' || error || nowhere) return { theme: 'watch' };
  if (state === 'downloading') return { theme: 'arrow-down' };
  return kind === 'share' || state === 'seeding'
    ? content === 'folder'
      ? { theme: 'folder' }
      : { file: name }
    : { theme: 'check' };
}
