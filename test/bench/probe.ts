// The probe of probeMain.ts, asked from outside: what it has said in all windows there were, and
// what it saw between two moments.
import type { Person } from '../vscode/people.ts';
import type { Activation, Blocks } from './probeMain.ts';

/** Its manifest. */
export const PROBE = {
  name: 'probe',
  displayName: 'Probe',
  description: 'Measures its extension host',
  activationEvents: ['*'], // there first
  contributes: {
    commands: ['start', 'stop'].map((name) => ({ command: `probe.${name}`, title: name, category: 'Probe' })),
  },
} as const;

type Told = Activation | Blocks | { readonly is: 'started' };

const toldBy = (person: Person): readonly Told[] =>
  person.server
    .extensionLog('Probe')
    .split('\n')
    .flatMap((line) => (line.includes('{') ? [JSON.parse(line.slice(line.indexOf('{'))) as Told] : []));

/** Does something; resolves to what the probe then says. */
export async function ask<K extends Told['is']>(
  person: Person,
  is: K,
  act: () => Promise<unknown>,
): Promise<Extract<Told, { is: K }>> {
  const before = toldBy(person).length;
  await act();
  return (await person.window.until(`the probe to say “${is}”`, () =>
    toldBy(person)
      .slice(before)
      .find((one) => one.is === is),
  )) as Extract<Told, { is: K }>;
}

/** What happened in the extension host while something was done. */
export async function blocksBetween(person: Person, run: () => Promise<unknown>): Promise<Blocks> {
  await ask(person, 'started', () => person.window.runCommand('Probe: start'));
  await run();
  return ask(person, 'blocks', () => person.window.runCommand('Probe: stop'));
}
