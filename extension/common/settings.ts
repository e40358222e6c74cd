// The settings of this extension, as package.json declares them, and what of them the engine is
// told. A setting that nobody has set is not told: what the command line has set stays.
import * as vscode from 'vscode';
import type { engineLink } from '../../protocol/messages/engineLink.ts';
import type { BodyOf } from '../../protocol/wire/table.ts';
import { inMessage, t } from './l10n.ts';

/** What the view Files can be sorted by. */
const FILES_ORDERS = ['name', 'newest', 'size'] as const;
export type FilesOrder = (typeof FILES_ORDERS)[number];

interface SettingRow {
  readonly type: 'string' | 'number' | 'boolean';
  readonly default: string | number | boolean;
  /**
   * `machine`: what a workspace says does not count, so that a repository cannot redirect anybody.
   */
  readonly scope: 'machine' | 'application';
  readonly oneOf?: readonly string[];
}

/** Every setting, by its name behind `shoal.`; a test compares them with package.json. */
export const SETTINGS = {
  tracker: { type: 'string', default: '', scope: 'machine' },
  downloadFolder: { type: 'string', default: '', scope: 'machine' },
  openWhenDone: { type: 'boolean', default: false, scope: 'machine' },
  filesOrder: { type: 'string', default: 'name', scope: 'machine', oneOf: FILES_ORDERS },
  keepSharing: { type: 'boolean', default: false, scope: 'machine' },
  downloadLimit: { type: 'number', default: 0, scope: 'machine' },
  activeDownloads: { type: 'number', default: 5, scope: 'machine' },
  openLimit: { type: 'number', default: 50, scope: 'machine' },
  uploadLimit: { type: 'number', default: 0, scope: 'machine' },
  listen: { type: 'string', default: '', scope: 'machine' },
  askBeforeSharing: {
    type: 'string',
    default: 'secretsAndIgnored',
    scope: 'machine',
    oneOf: ['secretsAndIgnored', 'secrets', 'never'],
  },
  decorations: { type: 'boolean', default: true, scope: 'application' },
  pieceSelection: {
    type: 'string',
    default: 'auto',
    scope: 'machine',
    oneOf: ['rarest', 'random', 'sequential', 'auto'],
  },
  home: { type: 'string', default: '', scope: 'machine' },
  terminalPath: { type: 'boolean', default: true, scope: 'machine' },
  engine: { type: 'string', default: 'process', scope: 'machine', oneOf: ['process', 'window'] },
} as const satisfies Record<string, SettingRow>;

export type SettingName = keyof typeof SETTINGS;
type Value<N extends SettingName> = (typeof SETTINGS)[N] extends { readonly oneOf: readonly (infer T)[] }
  ? T
  : (typeof SETTINGS)[N]['default'] extends string
    ? string
    : (typeof SETTINGS)[N]['default'] extends number
      ? number
      : boolean;

/** What the setting says; its default where that is nothing usable. */
export function setting<N extends SettingName>(name: N): Value<N> {
  const row: SettingRow = SETTINGS[name];
  const value: unknown = vscode.workspace.getConfiguration('shoal').get(name);
  const isFit = typeof value === row.type && (row.oneOf === undefined || row.oneOf.includes(String(value)));
  return (isFit ? value : row.default) as Value<N>;
}

/** Sets it for the person, in all windows of this machine. */
export async function updateSetting<N extends SettingName>(name: N, value: Value<N>): Promise<void> {
  await vscode.workspace.getConfiguration('shoal').update(name, value, vscode.ConfigurationTarget.Global);
}

/** Whether a person has set it. */
const isSet = (name: SettingName): boolean =>
  vscode.workspace.getConfiguration('shoal').inspect(name)?.globalValue !== undefined;

/**
 * Shows a setting where it is kept: those of a machine that this window works on from afar stand on
 * a page of their own, and the usual one says there is none.
 */
export async function openSetting(name: SettingName): Promise<void> {
  const query = `shoal.${name}`;
  if (vscode.env.remoteName === undefined) await vscode.commands.executeCommand('workbench.action.openSettings', query);
  else await vscode.commands.executeCommand('workbench.action.openRemoteSettings', { query });
}

/** Settings that the engine keeps. */
export const ENGINE_SETTINGS: readonly SettingName[] = [
  'keepSharing',
  'downloadLimit',
  'uploadLimit',
  'activeDownloads',
  'listen',
];

/**
 * What the engine is told. With `changed`, only of those settings, and a default where one was
 * unset.
 *
 * A `listen` that is no address is not told; `listenTrouble` says so.
 */
export function engineSettings(changed?: readonly SettingName[]): BodyOf<typeof engineLink, 'configure'> {
  const counts = (name: SettingName): boolean => changed?.includes(name) ?? isSet(name);
  const bytes = (name: 'downloadLimit' | 'uploadLimit'): number | undefined =>
    counts(name) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(setting(name) * 1024))) : undefined;
  const at = counts('listen') ? parseListen(setting('listen')) : undefined;
  return {
    downLimitBytesPerS: bytes('downloadLimit'),
    upLimitBytesPerS: bytes('uploadLimit'),
    listenHost: at?.host,
    listenPort: at?.port,
    keepSharing: counts('keepSharing') ? setting('keepSharing') : undefined,
    activeDownloads: counts('activeDownloads')
      ? Math.min(65535, Math.max(0, Math.round(setting('activeDownloads'))))
      : undefined,
  };
}

/** What is wrong with the setting `listen`, in words; undefined when nothing is. */
export const listenProblem = (text: string): string | undefined =>
  parseListen(text)
    ? undefined
    : t(
        '{0} is no place to listen on: the setting shoal.listen takes host:port, or a port. It counts as it was before.',
        inMessage(text),
      );

/**
 * `host:port`, `:port`, a port, or '' for any address and a free port. Undefined for what is none
 * of these.
 */
export function parseListen(text: string): { readonly host: string; readonly port: number } | undefined {
  if (text.trim() === '') return { host: '', port: 0 };
  const match = /^(?:([^\s:]*|\[[0-9a-fA-F:]+\]):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2] ?? NaN);
  if (!(port <= 65535)) return undefined;
  return { host: (match?.[1] ?? '').replace(/^\[|\]$/g, '').replace(/^\*$/, ''), port };
}
