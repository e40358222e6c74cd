// What a person has set for this home: limits and where to listen. One small file; read once, written whole.
import type { Disk } from '../../protocol/world.ts';
import type { Home } from '../../protocol/home/home.ts';
import { readSmallFile, writeSmallFile } from '../../protocol/home/home.ts';

export interface Settings {
  /** Undefined: all addresses of this machine. */
  readonly listenHost: string | undefined;
  /** 0: a free port, chosen once and kept in `chosenPort`. */
  readonly listenPort: number;
  readonly chosenPort: number;
  /** 0: no limit. */
  readonly downLimitBytesPerS: number;
  readonly upLimitBytesPerS: number;
  /** Whether a person signed in on the command line. */
  readonly isHeld: boolean;
  /** Whether to go on sharing when no window is open. */
  readonly keepSharing: boolean;
}

export async function loadSettings(disk: Disk, home: Home): Promise<Settings> {
  const read = (fields: Readonly<Record<string, unknown>>): Settings => {
    const number = (name: string): number => {
      const value = fields[name] ?? 0;
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is not a whole number`);
      return value;
    };
    const host = fields['listenHost'];
    if (host !== undefined && typeof host !== 'string') throw new Error('listenHost is not a text');
    return {
      listenHost: host, listenPort: number('listenPort'), chosenPort: number('chosenPort'),
      downLimitBytesPerS: number('downLimitBytesPerS'), upLimitBytesPerS: number('upLimitBytesPerS'), isHeld: fields['isHeld'] === true,
      keepSharing: fields['keepSharing'] === true,
    };
  };
  return (await readSmallFile(disk, home.settingsFile, read)) ?? read({});
}

export const saveSettings = (disk: Disk, home: Home, settings: Settings): Promise<void> => writeSmallFile(disk, home.settingsFile, { ...settings });
