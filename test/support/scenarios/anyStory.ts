// Any history of a realm, as fast-check makes them up: people who do things that make sense and
// things that do not, at two trackers that meet now and then.
import fc from 'fast-check';

const WORDS = [
  'signUp',
  'signIn',
  'signOut',
  'changePassword',
  'createGroup',
  'requestJoin',
  'cancelRequest',
  'acceptRequest',
  'rejectRequest',
  'leaveGroup',
  'removeMember',
  'shareFile',
  'stopShare',
  'removeFile',
  'transferGroup',
  'deleteGroup',
  'renameGroup',
  'renameAccount',
  'setOwner',
  'resetPassword',
] as const;
const PEOPLE = ['ann', 'bob', 'cal'];

const line = fc.oneof(
  { weight: 1, arbitrary: fc.constant('sync') },
  { weight: 1, arbitrary: fc.nat({ max: 40 }).map((n) => `again ${n + 1}`) },
  {
    weight: 20,
    arbitrary: fc
      .record({
        at: fc.constantFrom('A', 'B'),
        who: fc.constantFrom('ann', 'bob', 'cal', 'ann=ann2', 'bob/2'),
        what: fc.constantFrom(...WORDS),
        group: fc.constantFrom('g', 'g=g2', 'h'),
        second: fc.constantFrom('1', '2', '3'),
        content: fc.constantFrom('1', '2', '2 replace'),
      })
      .map(({ at, who, what, group, second, content }) => {
        const person = PEOPLE[Number(second) - 1] ?? '';
        const about: Partial<Record<(typeof WORDS)[number], string>> = {
          signUp: '',
          signIn: '',
          changePassword: '',
          signOut: second,
          renameAccount: `x${second}`,
          resetPassword: person,
          removeMember: `${group} ${person}`,
          transferGroup: `${group} ${person}`,
          setOwner: `${group} ${person}`,
          renameGroup: `${group} ${['g', 'h', 'i'][Number(second) - 1] ?? ''}`,
        };
        return `${at} ${who} ${what} ${about[what] ?? `${group} ${second} ${content}`}`;
      }),
  },
);

const BEGINNING =
  'A ann signUp\nA bob signUp\nB cal signUp\nA ann=ann2 signUp\nsync\nA ann createGroup g\nB bob createGroup h\nsync';

/** In the language of story.ts. */
export const anyStory: fc.Arbitrary<string> = fc.array(line, { minLength: 5, maxLength: 60 }).map((lines) => {
  let count = 10;
  return [
    BEGINNING,
    ...lines.filter((each) => {
      const [first, number] = each.split(' ');
      if (first === 'again' && Number(number) > count) return false;
      if (first !== 'sync') count += each.includes('signUp') ? 2 : 1;
      return true;
    }),
  ].join('\n');
});
