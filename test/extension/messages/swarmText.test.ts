// What a window says of a swarm where it has words of its own.
import assert from 'node:assert/strict';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import { slowReasonTexts, unavailableText } from '../../../extension/messages/swarmText.ts';
import { aTransfer } from '../../support/fakes/fakeEngine.ts';

describe('the words of a window for a swarm', () => {
  it('say an error as the window says it, as a sentence', () => {
    const failed = (error: ShoalError): string =>
      slowReasonTexts([{ is: 'trouble' }], aTransfer({ state: 'failed', error: toWire(error) }), 0).join();
    assert.equal(failed(new ShoalError('notSignedIn')), 'You are not signed in.');
    assert.match(failed(new ShoalError('diskFull', { path: '/x', bytes: 5 })), /^[A-Z/].*\.$/);
  });

  it('say what is missing everywhere, and who had it', () => {
    const nowhere = {
      pieces: 4,
      ranges: [{ first: 6, last: 9 }],
      lastHad: { user: 'alice', atMs: 0, pieces: 2 },
    };
    assert.equal(
      unavailableText(aTransfer({ pieces: 10, nowhere }), 7200_000),
      'pieces 7-10 of 10 are missing everywhere; alice had 2 of them 2 h ago',
    );
    assert.equal(unavailableText(aTransfer(), 0), undefined);
  });
});
