// Downloads in their classic lines.
import type { Transfer } from '../../../../protocol/messages/engineLink.ts';
import { classicLine } from '../../../../extension/engine/cli/transferTable.ts';
import { aTransfer } from '../../../support/fakes/fakeEngine.ts';
import { gives } from '../../../support/gives.ts';

gives('show_downloads', (fields: Partial<Transfer>) => classicLine(aTransfer(fields)), [
  [{}, '[D] [team] dump.sql'],
  [{ state: 'seeding' }, '[C] [team] dump.sql'],
  [{ state: 'waiting' }, '[D] [team] dump.sql'],
  [{ state: 'paused' }, '[D] [team] dump.sql'],
  [{ state: 'checking' }, '[D] [team] dump.sql'],
  [{ state: 'failed', heldPieces: 2 }, '[D] [team] dump.sql'],
  [{ state: 'gone', heldPieces: 2 }, '[C] [team] dump.sql'],
  [{ name: 'a\nb' }, '[D] [team] a\\u{a}b'],
]);
