// What a person has set for this home: limits, how many downloads at once, and where to listen. One
// small file; read once, written whole.
import type { Disk } from '../../protocol/base/world.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import { readSmallFile, writeSmallFile } from '../../protocol/home/homeLayout.ts';

/**
 * Downloads that fetch at once, if nobody says otherwise: enough to fill a line, few enough that
 * each is done soon.
 */
const ACTIVE_DOWNLOADS_DEFAULT = 5;

export interface Settings {
  /** Undefined: all addresses of this machine. */
  readonly listenHost: string | undefined;
  /** 0: a free port, chosen once and kept in `chosenPort`. */
  readonly listenPort: number;
  readonly chosenPort: number;
  /** 0: no limit. */
  readonly downLimitBytesPerS: number;
  readonly upLimitBytesPerS: number;
  /** How many downloads fetch at once; 0: no limit. */
  readonly activeDownloads: number;
  /** Whether a person signed in on the command line. */
  readonly isHeld: boolean;
  /** Whether to go on sharing when no window is open. */
  readonly keepSharing: boolean;
}

/** Settings out of the fields of their file; without any, what nobody has set. */
function read(fields: Readonly<Record<string, unknown>>): Settings {
  const number = (name: string, otherwise = 0): number => {
    const value = fields[name] ?? otherwise;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw new Error(`${name} is not a whole number`);
    }
    return value;
  };
  const host = fields['listenHost'];
  if (host !== undefined && typeof host !== 'string') throw new Error('listenHost is not a text');
  return {
    listenHost: host,
    listenPort: number('listenPort'),
    chosenPort: number('chosenPort'),
    downLimitBytesPerS: number('downLimitBytesPerS'),
    upLimitBytesPerS: number('upLimitBytesPerS'),
    isHeld: fields['isHeld'] === true,
    activeDownloads: number('activeDownloads', ACTIVE_DOWNLOADS_DEFAULT),
    keepSharing: fields['keepSharing'] === true,
  };
}

export const SETTINGS_DEFAULT: Settings = read({});

export const loadSettings = async (disk: Disk, home: Home): Promise<Settings> =>
  (await readSmallFile(disk, home.settingsFile, read)) ?? SETTINGS_DEFAULT;

export const saveSettings = (disk: Disk, home: Home, settings: Settings): Promise<void> =>
  writeSmallFile(disk, home.settingsFile, { ...settings });
