// What went wrong, as a window says it: it has buttons and settings where the command line has
// options and verbs.
import assert from 'node:assert/strict';
import { errorPhrase, describeError } from '../../../extension/messages/errorMessages.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { errorCodes } from '../../protocol/base/errorCodes.ts';

describe('what went wrong, in the words of a window', () => {
  it('names no option, verb or variable of the command line', () => {
    const errors = errorCodes.map((code) => new ShoalError(code));
    const said = errors.flatMap((error) => [describeError(error).sentence, errorPhrase(error)]);
    assert.deepEqual(
      said.filter((words) => /--[a-z]|shoal(-tracker)? [a-z]|SHOAL_|tracker_info|\blogin\b/.test(words)),
      [],
    );
  });
  it('is a sentence in a message, and none in a row', () => {
    const error = new ShoalError('fileExists', { name: 'a.txt', group: 'team', user: 'bob' });
    assert.deepEqual(
      [describeError(error).sentence, errorPhrase(error)],
      [
        'a.txt is in team already, shared by bob with other content.',
        'a.txt is in team already, shared by bob with other content',
      ],
    );
  });
});
