// Sentences in English, and in another language once somebody hands in a translator.
import assert from 'node:assert/strict';
import { plural, setTranslator, t } from '../../../protocol/frontend/l10n.ts';
import { slowReasonText } from '../../../protocol/frontend/slowReasonText.ts';

const english = (message: string, ...values: readonly (string | number)[]): string =>
  message.replace(/\{(\d+)\}/g, (_, n: string) => String(values[Number(n)] ?? ''));

describe('a sentence for a person', () => {
  afterEach(() => setTranslator(english));

  it('is English with its values, and nothing where one is missing', () =>
    assert.deepEqual([t('{1} of {0}', 2, 'one'), t('{0} and {1}', 'a')], ['one of 2', 'a and ']));

  it('goes by number', () =>
    assert.deepEqual(
      [1, 2].map((n) => plural(n, '{0} file of {1}', '{0} files of {1}', 'bob')),
      ['1 file of bob', '2 files of bob'],
    ));

  it('is the translator’s, also where both front ends say it', () => {
    setTranslator((message, ...values) => `«${english(message, ...values)}»`);
    assert.equal(
      slowReasonText({ is: 'turn', place: 3 }, { error: undefined }, 0),
      '«It waits for its turn: it is number 3 of all downloads.»',
    );
  });
});
