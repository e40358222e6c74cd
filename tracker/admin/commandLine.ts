// What the commands of `shoal-tracker` share: printing, and what their arguments mean.
import path from 'node:path';
import envPaths from 'env-paths';
import { parseAddress } from '../../protocol/base/address.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { TRACKER_PORT_DEFAULT } from '../../protocol/messages/realm.ts';

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Where a command works that was given no folder. */
export function defaultFolder(...names: readonly string[]): string {
  return path.join(envPaths('shoal-tracker', { suffix: '' }).data, ...names);
}

/** @throws ShoalError usage */
export function addressOf(text: string): Address {
  const address = parseAddress(text, TRACKER_PORT_DEFAULT);
  if (!address) throw new ShoalError('usage', { why: `${text} is not host:port` });
  return address;
}
