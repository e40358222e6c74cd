// Verbs of the engine itself: what it is doing, holding it, ending it.
import { SERVED_MAX } from '../../../../protocol/messages/engineLink.ts';
import { retire } from '../../../../protocol/home/connectEngine.ts';
import { formatRate } from '../../../../protocol/frontend/format.ts';
import { statusLines } from '../statusText.ts';
import { table } from '../table.ts';
import { serve } from './serve.ts';
import type { CommandFamily } from './command.ts';

export const engineCommands: CommandFamily = {
  title: 'The engine, which works in the background:',
  commands: [
    {
      usage: 'status',
      summary: 'show trackers, account, groups, transfers and rates',
      details: 'Does not start the engine when it does not run.',
      json:
        '{"running", "home", "overview": {"program", "processId", "trackerUrl", "trackers", "account", ' +
        '"listening", "groups", …}, "transfers"}',
      async run(session) {
        const home = session.home.folder;
        const engine = await session.runningEngine();
        if (!engine) {
          return session.print(
            [`home       ${home}`, 'engine     does not run; the next command that needs it starts it'],
            { running: false, home },
          );
        }
        const { overview, transfers } = await session.watch();
        const all = [...transfers.values()].sort((a, b) => a.id - b.id);
        session.print(statusLines(home, overview, all), { running: true, home, overview, transfers: all });
      },
    },
    {
      usage: 'uploads',
      summary: 'show who downloads from here at this moment',
      details:
        `At most ${SERVED_MAX} of them. Who got nothing for a quarter of a minute is not among them. ` +
        'Does not start the engine when it does not run.',
      json: '[{"user", "group", "name", "bytesPerS"}]',
      async run(session) {
        const engine = await session.runningEngine();
        const { overview } = engine ? await session.watch() : { overview: undefined };
        const served = overview?.served ?? [];
        if (served.length === 0) session.note('Nobody downloads from here now.');
        session.print(
          served.length === 0
            ? []
            : table(served, [
                { title: 'USER', of: ({ user }) => user },
                { title: 'GROUP', of: ({ group }) => group },
                { title: 'NAME', of: ({ name }) => name },
                { title: 'UP', align: 'right', of: ({ bytesPerS }) => (bytesPerS > 0 ? formatRate(bytesPerS) : '-') },
              ]),
          served,
        );
      },
    },
    {
      usage: 'serve',
      summary: 'keep the engine running and print what happens',
      details:
        'For a server, a container or a service manager: the engine runs as long as this does, whoever ' +
        'is signed in. Ctrl-C, or SIGTERM, ends this, and the engine too if this has started it. Sign in ' +
        'once with `shoal login`.',
      json: 'one line for each event: {"event": {"what", "group", "user", "name"}}, {"transfer": {…}}, {"tracker": {…}}',
      run: serve,
    },
    {
      usage: 'stop',
      summary: 'end the engine of this home',
      details:
        'Nothing is shared until it is started again, by the next command or window. What is unfinished goes on then.',
      json: '{"stopped"}; false when none was running',
      async run(session) {
        const engine = await session.runningEngine();
        if (engine) await retire(engine);
        session.print(
          engine ? 'Stopped the engine. What is unfinished goes on when it is started again.' : 'No engine is running.',
          { stopped: engine !== undefined },
        );
      },
    },
  ],
};
