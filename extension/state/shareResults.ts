// What becomes of files that a person shares, one by one or several at once. Pure;
// commands/share.ts asks, shows and tells.
import path from 'node:path';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { fromWire } from '../../protocol/wire/wireErrors.ts';
import { describeError } from '../messages/errorMessages.ts';
import type { WindowState } from './state.ts';
import { inMessage, t } from '../common/l10n.ts';

/** Files that are named of those that could not be shared; the others are only counted. */
const NAMED_MAX = 5;

/**
 * Looks at one state after the other until the group knows of a share: then it is found.
 *
 * @throws ShoalError cancelled when it was there and is no more, or what it failed of
 */
export function shareDone(id: number, file: string): (state: WindowState) => Transfer | undefined {
  let wasThere = false;
  return ({ engine, transfers }) => {
    const transfer = transfers.get(id);
    if (transfer?.state === 'failed' || transfer?.state === 'gone') {
      throw transfer.error ? fromWire(transfer.error) : new ShoalError('fileMissing', { path: file });
    }
    // Somebody stopped sharing it, or signed out. An engine that was lost is another matter: the
    // next one goes on, and tells of it sooner or later.
    if (!transfer && wasThere && engine === 'up') throw new ShoalError('cancelled');
    wasThere = transfer !== undefined;
    return transfer?.state === 'seeding' ? transfer : undefined;
  };
}

interface Failure {
  readonly file: string;
  readonly error: unknown;
}

/**
 * Shares files one after the other. One that cannot be shared does not keep those behind it; one
 * that `share` gives nothing for is nobody's failure.
 */
export async function shareEach<T>(
  files: readonly string[],
  share: (file: string) => Promise<T | undefined>,
): Promise<{ readonly shared: readonly T[]; readonly failures: readonly Failure[] }> {
  const shared: T[] = [];
  const failures: Failure[] = [];
  for (const file of files) {
    try {
      const done = await share(file);
      if (done !== undefined) shared.push(done);
    } catch (error) {
      failures.push({ file, error });
    }
  }
  return { shared, failures };
}

/**
 * Throws one error for all of them. Of several files it names those that failed, because their own
 * errors may not.
 *
 * @param files  how many were to be shared
 */
export async function reportFailures(failures: readonly Failure[], files: number): Promise<void> {
  const [first] = failures;
  if (!first) return;
  if (files === 1) throw first.error;
  const why = describeError(asShoalError(first.error)).sentence;
  const names =
    failures
      .slice(0, NAMED_MAX)
      .map(({ file }) => inMessage(path.basename(file)))
      .join(', ') + (failures.length > NAMED_MAX ? ' …' : '');
  const message =
    failures.length === 1
      ? t('Could not share {0}. {1}', names, why)
      : t('Could not share {0} files ({1}). The first of them: {2}', failures.length, names, why);
  throw new ShoalError('usage', { why: message }, { cause: first.error });
}
