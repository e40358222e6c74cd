// Who downloads from me, in words.
// Covers: extension/messages/uploadsText.ts, extension/contributions/statusBar.ts
import assert from 'node:assert/strict';
import type { Downloader } from '../../../protocol/messages/engineLink.ts';
import { interruptedUploadsText, uploadsText } from '../../../extension/messages/uploadsText.ts';
import { statusOf } from '../../../extension/contributions/statusBar.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import { printableName } from '../../../extension/common/l10n.ts';
import { anOverview } from '../../support/fakes/fakeEngine.ts';

const to = (...all: readonly string[]): readonly Downloader[] =>
  all.map((one) => {
    const [user = '', name = '', group = 'team'] = one.split(':');
    return { user, group, name, bytesPerS: 0 };
  });

describe('who downloads from me', () => {
  const rows: readonly (readonly [
    served: readonly Downloader[],
    now: string | undefined,
    cutOff: string | undefined,
  ])[] = [
    [[], undefined, undefined],
    [
      to('bob:big.bin'),
      'bob is downloading big.bin from you.',
      'When the last window closed, bob was still downloading big.bin from you.',
    ],
    [
      to('bob:big.bin', 'carol:big.bin'),
      'bob and carol are downloading big.bin from you.',
      'When the last window closed, bob and carol were still downloading big.bin from you.',
    ],
    [
      to('bob:big.bin', 'bob:two.txt'),
      'bob is downloading big.bin and 1 more from you.',
      'When the last window closed, bob was still downloading big.bin and 1 more from you.',
    ],
    [
      to('bob:a:x', 'bob:a:y', 'carol:b'),
      'bob and carol are downloading a and 2 more from you.',
      'When the last window closed, bob and carol were still downloading a and 2 more from you.',
    ],
    [
      to('a:1', 'b:1', 'c:1'),
      'a, b and c are downloading 1 from you.',
      'When the last window closed, a, b and c were still downloading 1 from you.',
    ],
    [
      to('a:1', 'b:1', 'c:1', 'd:1'),
      'a, b and 2 others are downloading 1 from you.',
      'When the last window closed, a, b and 2 others were still downloading 1 from you.',
    ],
    [
      to('x\u202Ey:[a](command x)'),
      'x\\u{202e}y is downloading [a] (command x) from you.',
      'When the last window closed, x\\u{202e}y was still downloading [a] (command x) from you.',
    ],
  ];
  for (const [served, now, cutOff] of rows) {
    it(now ?? 'is nobody', () =>
      assert.deepEqual([uploadsText(served), interruptedUploadsText(served)], [now, cutOff]),
    );
  }

  it('stands in the tooltip of the status bar, as a plain name', () => {
    const tooltip =
      statusOf({
        ...INITIAL_STATE,
        engine: 'up',
        overview: anOverview({ served: to('bob:[a](b).bin') }),
        knowsGroups: true,
      })?.tooltip ?? [];
    assert.ok(tooltip.includes(`bob is downloading ${printableName('[a](b).bin')} from you.`), tooltip.join('\n'));
  });
});
