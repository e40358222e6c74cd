// Events as `serve` says them, conflicts among them.
// Covers: extension/engine/cli/commands/serve.ts, extension/engine/cli/conflictText.ts
import { eventText } from '../../../../../extension/engine/cli/commands/serve.ts';
import { aConflict } from '../../../../support/fakes/fakeEngine.ts';
import { gives } from '../../../../support/gives.ts';

gives(
  'events',
  (event: Partial<Parameters<typeof eventText>[0]>) =>
    eventText({ what: 'other', group: 'team', user: '', name: '', conflict: undefined, ...event }),
  [
    [
      { what: 'requestReceived', group: 'team', user: 'bob', name: '' },
      'bob asks to join team: shoal accept_request team bob',
    ],
    [{ what: 'removed', group: 'team', user: '', name: '' }, 'you were removed from team'],
    [{ what: 'downloaded', group: 'team', user: '', name: 'a\x07' }, 'downloaded a\\u{7} of team'],
    [
      { what: 'renamed', conflict: aConflict() },
      'two groups took the name team at the same moment; yours is team~k3f9 now. Choose another with: shoal rename_group team~k3f9 NAME',
    ],
    [
      { what: 'renamed', conflict: aConflict({ isMine: false }) },
      'two groups took the name team at the same moment; the one you are in is team~k3f9 now',
    ],
    [
      { what: 'renamed', conflict: aConflict({ what: 'createAccount', wanted: 'ann', name: 'ann~k3f9', group: '' }) },
      'two people took the name ann at the same moment; you are ann~k3f9 now. Choose another with: shoal rename_account NAME',
    ],
    [
      {
        what: 'conflict',
        conflict: aConflict({ what: 'acceptRequest', result: 'notOwner', group: 'team', wanted: '', name: '' }),
      },
      'accepting a request in team has had no effect in the end, because something else was done at the same moment at the other tracker: only the owner of team can do that',
    ],
    [
      {
        what: 'conflict',
        conflict: aConflict({ what: 'shareFile', result: 'notMember', group: 'te\nam', wanted: 'f', name: 'f' }),
      },
      'sharing in te\\u{a}am (f) has had no effect in the end, because something else was done at the same moment at the other tracker: you are not a member of te\\u{a}am; ask to join it first',
    ],
  ],
);
