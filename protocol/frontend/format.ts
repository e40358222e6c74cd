// Amounts, rates and times in words, the same in the window and on the command line. Pure.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.40 GiB`: binary units, three digits where that is possible. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.7 KiB would be written as 1024 KiB.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const UNIT_FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * `500k`, `1.5M`, `2 MiB/s`, `0`: bytes per second, 0 for no limit. Undefined for what is no rate.
 */
export function tryParseRate(text: string): number | undefined {
  if (/^(none|off)$/i.test(text.trim())) return 0;
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?(?:\/s)?$/i.exec(text.trim());
  return match ? Math.round(Number(match[1]) * (UNIT_FACTORS[(match[2] ?? '').toLowerCase()] ?? 1)) : undefined;
}

export const formatRate = (bytesPerS: number): string => `${formatBytes(bytesPerS)}/s`;

/** `2 h 05 min`, `3 min 20 s`, `12 s`. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 100 * 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return `${Math.round(s / 86400)} days`;
}

/** How long ago something was, in one unit: `2 h`, `3 min`, `12 s`. */
export function formatAge(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 48 * 3600 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
}

/** Whole per cent; 100 only when really all is there. */
export function formatPercent(done: number, of: number): number {
  return done >= of ? 100 : Math.min(99, Math.floor((100 * done) / of));
}

/** `1 member`, `2 members`. */
export const formatCount = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
