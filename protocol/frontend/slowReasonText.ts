// The reasons of slowReasons.ts as sentences, for the window and for the command line, and who last
// had what is missing. Pure.
import type { ShoalError } from '../base/errors.ts';
import { printable } from '../base/errors.ts';
import type { Transfer } from '../messages/engineLink.ts';
import type { UnavailablePieces } from '../messages/swarmView.ts';
import { rangesText } from '../messages/swarmView.ts';
import { fromWire } from '../wire/wireErrors.ts';
import { formatAge, formatRate } from './format.ts';
import { plural, t } from './l10n.ts';
import type { SlowReason } from './slowReasons.ts';

/** People that a sentence names. */
const NAMED_MAX = 3;

/** @param errorText  how the front end says an error; by default as the error says it */
export function slowReasonText(
  reason: SlowReason,
  { error }: Pick<Transfer, 'error'>,
  nowMs: number,
  errorText: (error: ShoalError) => string = ({ message }) => message,
): string {
  switch (reason.is) {
    case 'paused':
      return t('It is paused.');
    case 'checking':
      return t('What is on the disk is being checked.');
    case 'hashing':
      return t('It is being hashed.');
    case 'choosing':
      return t('It waits for its files to be chosen.');
    case 'trouble':
      return error ? asSentence(errorText(fromWire(error))) : t('It has failed.');
    case 'turn':
      return t('It waits for its turn: it is number {0} of all downloads.', reason.place);
    case 'nowhere':
      return join(
        plural(
          reason.nowhere.pieces,
          'Piece {1} of {2} is with nobody who is connected',
          'Pieces {1} of {2} are with nobody who is connected',
          rangesText(reason.nowhere),
          reason.pieces,
        ),
        lastHadText(reason.nowhere, nowMs),
      );
    case 'nobody':
      return reason.nowhere && reason.nowhere.pieces < reason.pieces
        ? join(
            plural(
              reason.nowhere.pieces,
              'Nobody who is online has piece {1} of {2}',
              'Nobody who is online has pieces {1} of {2}',
              rangesText(reason.nowhere),
              reason.pieces,
            ),
            lastHadText(reason.nowhere, nowMs),
          )
        : join(t('Nobody who is online has it'), reason.nowhere ? lastHadText(reason.nowhere, nowMs) : '');
    case 'unreachable':
      return plural(
        reason.users.length,
        '{1} is online but cannot be reached from here, nor from there.',
        '{1} are online but cannot be reached from here, nor from there.',
        nameList(reason.users),
      );
    case 'connecting':
      return plural(reason.peers, '{0} peer is being connected to.', '{0} peers are being connected to.');
    case 'hashes':
      return t('The hashes of its pieces are on their way.');
    case 'downLimit':
      return reason.whose === 'own'
        ? t('Your limit for this download holds: {0}.', formatRate(reason.bytesPerS))
        : t('Your limit for all downloads holds: {0}.', formatRate(reason.bytesPerS));
    case 'upLimit':
      return reason.whose === 'own'
        ? t('Your limit for this file holds: {0}.', formatRate(reason.bytesPerS))
        : t('Your limit for all uploads holds: {0}.', formatRate(reason.bytesPerS));
    case 'disk':
      return t('Pieces come faster than the disk takes them.');
    case 'busy':
      return plural(
        reason.peers,
        'The one peer that could send something is busy with others.',
        'All {0} peers that could send something are busy with others.',
      );
    case 'senders':
      return plural(
        reason.users.length,
        'Only {1} sends, at {2}.',
        'It comes as fast as {1} send it: {2}.',
        nameList(reason.users),
        formatRate(reason.bytesPerS),
      );
    case 'trackersAway':
      return reason.peers > 0
        ? plural(
            reason.peers,
            'No tracker can be reached; {0} peer stays connected.',
            'No tracker can be reached; {0} peers stay connected.',
          )
        : t('No tracker can be reached, so nobody is found.');
    case 'wrong':
      return plural(
        reason.users.length,
        '{1} sent what was wrong and is left alone.',
        '{1} sent what was wrong and are left alone.',
        nameList(reason.users),
      );
    case 'nobodyTakes':
      return t('Nobody is taking it now.');
    case 'takers':
      return plural(
        reason.users.length,
        '{1} takes it at {2}.',
        '{1} take it at {2}.',
        nameList(reason.users),
        formatRate(reason.bytesPerS),
      );
  }
}

/** `alice had them 2 h ago`; nothing where that is not known. */
export function lastHadText({ pieces, lastHad }: UnavailablePieces, nowMs: number): string {
  if (!lastHad) return '';
  const [user, ago] = [printable(lastHad.user), formatAge((nowMs - lastHad.atMs) / 1000)];
  return lastHad.pieces < pieces
    ? t('{0} had {1} of them {2} ago', user, lastHad.pieces, ago)
    : plural(pieces, '{1} had it {2} ago', '{1} had them {2} ago', user, ago);
}

const join = (what: string, who: string): string => (who === '' ? t('{0}.', what) : t('{0}; {1}.', what, who));

function nameList(users: readonly string[]): string {
  const [first = '', ...others] = users.slice(0, NAMED_MAX).map(printable);
  const more = users.length - 1 - others.length;
  if (more > 0) return t('{0} and {1} more', [first, ...others].join(', '), more);
  const last = others.pop();
  return last === undefined ? first : t('{0} and {1}', [first, ...others].join(', '), last);
}

const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
