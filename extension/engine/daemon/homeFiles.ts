// What only the engine itself makes in its home: the folders, this device's key, and the secret
// that it shares with its frontends.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readSecret, readSmallFile, textField, writeSmallFile } from '../../../protocol/home/homeLayout.ts';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Identity } from '../../../protocol/node/identity.ts';
import { createIdentity, identityBytes, readIdentity } from '../../../protocol/node/identity.ts';
import type { Chance, Disk } from '../../../protocol/base/world.ts';
import { makeDurableFolder } from '../storage/durableFolder.ts';

/** Makes the home's folders, readable by their owner alone. @throws ShoalError homeUnusable */
export async function makeHome(home: Home, disk: Disk): Promise<void> {
  try {
    await makeDurableFolder(disk, home.folder, 0o700);
    await makeDurableFolder(disk, home.transfersFolder, 0o700);
  } catch (error) {
    throw new ShoalError(
      'homeUnusable',
      { path: home.folder, why: systemCode(error) ?? String(error) },
      { cause: error },
    );
  }
}

/** This home's identity, made at the first start. */
export async function loadIdentity(home: Home, disk: Disk): Promise<Identity> {
  const held = await readSmallFile(disk, home.identityFile, (fields) =>
    readIdentity(Buffer.from(textField(fields, 'key'), 'base64')),
  );
  if (held) return held;
  const made = createIdentity();
  await writeSmallFile(disk, home.identityFile, { key: identityBytes(made).toString('base64') });
  return made;
}

/** What frontends of this home prove to know, 32 bytes, made at the first start. */
export async function loadSecret(home: Home, disk: Disk, chance: Chance): Promise<Buffer> {
  const held = await readSecret(home, disk);
  if (held) return held;
  const made = chance.bytes(32);
  await writeSmallFile(disk, home.secretFile, { secret: made.toString('base64') });
  return made;
}
