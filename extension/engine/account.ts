// Who is signed in in this home. One small file; whether the trackers agree, engine.ts finds out.
import type { Home } from '../../protocol/home/homeLayout.ts';
import { readSmallFile, textField, writeSmallFile } from '../../protocol/home/homeLayout.ts';
import type { AccountId } from '../../protocol/base/ids.ts';
import type { Disk } from '../../protocol/base/world.ts';

export interface Account {
  readonly account: AccountId;
  readonly user: string;
}

/** Nobody: undefined. @throws ShoalError damagedFile, newerFormat */
export async function loadAccount(disk: Disk, home: Home): Promise<Account | undefined> {
  const kept = await readSmallFile(disk, home.accountFile, (fields) => ({
    account: textField(fields, 'account') as AccountId,
    user: textField(fields, 'user'),
  }));
  return kept && kept.account !== '' ? kept : undefined;
}

export const saveAccount = (
  disk: Disk,
  home: Home,
  { account, user }: { readonly account: string; readonly user: string } = { account: '', user: '' },
): Promise<void> => writeSmallFile(disk, home.accountFile, { account, user });
