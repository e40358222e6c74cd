// Addresses of programs as people write and read them: `host:port`. Pure.
import type { Address } from './fields.ts';

/** `host:port`, with brackets around an IPv6 address. */
export const addressText = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Reads `host:port`, `[ipv6]:port` or, with a default, a host alone. Undefined if it is none of
 * these. A host's name is letters of any language, digits, `.`, `_` and `-`: addresses come from
 * links of strangers, and are shown within commands that people copy into a shell.
 */
export function parseAddress(text: string, portDefault?: number): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]*))(?::(\d{1,5}))?$/u.exec(text.trim());
  if (!match) return undefined;
  const host = match[1] ?? match[2] ?? '';
  const port = match[3] === undefined ? portDefault : Number(match[3]);
  if (port === undefined || port < 1 || port > 65535 || host.length > 255) return undefined;
  return { host, port };
}

/** Whether an address is the machine's own. */
export const isLoopback = (host: string): boolean => host === '::1' || host === 'localhost' || /^127\./.test(host);
