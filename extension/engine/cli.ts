// The command line: reads it, runs one verb, turns whatever goes wrong into a sentence and an exit
// code. The verbs are in cli/.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { asShoalError, isShoalError } from '../../protocol/base/errors.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import type { World } from '../../protocol/base/world.ts';
import { silentLog } from '../../protocol/base/world.ts';
import { accountCommands } from './cli/commands/account.ts';
import { engineCommands } from './cli/commands/engine.ts';
import { fileCommands } from './cli/commands/files.ts';
import { groupCommands } from './cli/commands/groups.ts';
import { linkCommands } from './cli/commands/links.ts';
import { jsonLine } from './cli/table.ts';
import type { EngineConnector, GlobalOptions } from './cli/session.ts';
import { Session } from './cli/session.ts';
import type { Terminal } from './cli/terminal.ts';
import { nodeTerminal } from './cli/terminal.ts';
import { transferCommands } from './cli/commands/transfers.ts';
import type { CommandInput, CommandFamily, CommandSpec } from './cli/commands/command.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import { defaultHome, homeOf } from '../../protocol/home/homePath.ts';
import { connectEngine, findEngine } from '../../protocol/home/connectEngine.ts';
import { startEngineProcess } from '../../protocol/home/startProcess.ts';
import { IS_BUNDLE, VERSION } from '../../protocol/node/version.ts';

const TOPICS: readonly CommandFamily[] = [
  accountCommands,
  groupCommands,
  fileCommands,
  linkCommands,
  transferCommands,
  engineCommands,
];

/** What an engine is started from: this bundle, or its main module. */
const ENTRY = IS_BUNDLE ? fileURLToPath(import.meta.url) : path.join(import.meta.dirname, 'main.ts');

const USAGE_EXIT = 2;

/** What a run of the command line takes from outside; tests hand in their own. */
export interface CliOptions {
  readonly terminal?: Terminal;
  readonly world?: World;
  readonly engines?: EngineConnector;
}

/** Runs what stands behind `shoal`. Resolves to the exit code. */
export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<number> {
  const { terminal = nodeTerminal(), world = createNodeWorld({ identity: createIdentity(), log: silentLog }) } =
    options;
  const engines = options.engines ?? realEngines(world);
  const stay = setInterval(() => {}, 2 ** 30); // the world's timers keep no process
  let exit = 0;
  const program = createProgram(terminal, async (command, globals, input) => {
    const session = new Session({ terminal, home: homeIn(globals, terminal), clock: world.clock, globals, engines });
    try {
      exit = (await command.run(session, input)) ?? 0;
    } finally {
      session.progress.clear();
      session.release();
    }
  });
  program
    .command('engine', { hidden: true })
    .description('run the engine of a home in this process; the other verbs start it so')
    .option('--extension <dir>', 'the extension that starts it')
    .action(async ({ extension }: { extension?: string }) => {
      const { runEngine } = await import('./daemon/daemon.ts');
      exit = await runEngine(homeIn(program.opts(), terminal), VERSION, extension);
    });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exit;
  } catch (error) {
    return describeFailure(error, terminal, words.includes('--json'));
  } finally {
    clearInterval(stay);
    terminal.close();
  }
}

function realEngines(world: World): EngineConnector {
  return {
    connect: (home, handlers) =>
      connectEngine({
        home,
        world,
        version: VERSION,
        handlers,
        startProcess: (home) => startEngineProcess(home, { entry: ENTRY }),
      }),
    find: (home, handlers) => findEngine({ home, world, version: VERSION, handlers }),
  };
}

/** Says what went wrong. Returns the exit code. */
function describeFailure(error: unknown, terminal: Terminal, json: boolean): number {
  const print = (code: string, message: string, fields: object): void => {
    if (json) terminal.out(jsonLine({ error: { code, message, fields } }));
  };
  if (error instanceof CommanderError) {
    // it has been said
    if (error.exitCode === 0) return 0;
    print('usage', error.message.replace(/^error: /, ''), {});
    return USAGE_EXIT;
  }
  const failure = asShoalError(error);
  terminal.err(`shoal: ${failure.message}\n`);
  print(failure.code, failure.message, failure.fields);
  if (terminal.environment['SHOAL_DEBUG']) {
    terminal.err(`${failure.stack ?? ''}\n${failure.cause instanceof Error ? `${failure.cause.stack}\n` : ''}`);
  } else if (!isShoalError(error)) terminal.err('This is a mistake in Shoal. SHOAL_DEBUG=1 shows where it happened.\n');
  return failure.exitCode;
}

type ProgramOptions = GlobalOptions & { readonly home?: string };

const homeIn = ({ home }: ProgramOptions, terminal: Terminal): Home =>
  homeOf(home ?? terminal.environment['SHOAL_HOME'], terminal.workFolder);

/** The whole command line as commander wants it. */
function createProgram(
  terminal: Terminal,
  run: (
    command: CommandSpec,
    globals: GlobalOptions,
    input: { args: string[]; options: CommandInput['options'] },
  ) => Promise<void>,
): Command {
  const program = new Command('shoal');
  program
    .description('Share files of any size inside your groups, peer to peer.')
    .usage('[options] <verb> [arguments]')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show help; `shoal help VERB` tells more about one verb')
    .optionsGroup('Options, before or behind the verb:')
    .option('--home <dir>', `where account, keys and transfers are kept (SHOAL_HOME; default: ${defaultHome()})`)
    .option(
      '--tracker <url>',
      'the tracker: shoal://PIN@host:port[,host:port], host:port, or a tracker_info.txt; remembered',
    )
    .option(
      '--listen <address>',
      'host:port or port for other peers to reach this one; remembered, from the next login on',
    )
    .option('--limit-down <rate>', 'most bytes per second to download, such as 500k or 2M, 0 for no limit; remembered')
    .option('--limit-up <rate>', 'the same for upload')
    .option('--keep-sharing <on|off>', 'whether the engine stays to serve others when no window is open; remembered')
    .option('--json', 'print one JSON value instead of text; long verbs print lines of progress before it')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'shoal: ')),
      getOutHelpWidth: () => Math.min(terminal.columns(), 120),
      getErrHelpWidth: () => Math.min(terminal.columns(), 120),
    })
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) =>
        [[command.name(), ...command.aliases()].join('|'), command.usage().replace('[options]', '').trim()].join(' '),
    })
    .addHelpText('after', HELP_AFTER);
  for (const { title, commands } of TOPICS) {
    program.commandsGroup(title);
    for (const verb of commands) addCommand(program, verb, run);
  }
  return program.commandsGroup('Help:').helpCommand('help [verb]', 'show all about one verb');
}

function addCommand(program: Command, verb: CommandSpec, run: Parameters<typeof createProgram>[1]): void {
  const { usage, aliases, summary, details, json, options = [], examples = [] } = verb;
  const command = program
    .command(usage)
    .summary(summary)
    .description(details === undefined ? `${capital(summary)}.` : `${capital(summary)}.\n\n${details}`);
  if (aliases !== undefined) command.alias(aliases);
  for (const [flags, description] of options) command.option(flags, description);
  const lines = examples.map((example) => `  shoal ${example}\n`.replace(/ {2}shoal (echo .* \| shoal)/, '  $1'));
  const shown = lines.length > 0 ? `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('')}` : '';
  command.addHelpText('after', `${shown}\nWith --json: ${json}`);
  command.action(async (...all: unknown[]) => {
    const args = all
      .slice(0, command.registeredArguments.length)
      .flat()
      .filter((word) => word !== undefined) as string[];
    await run(verb, program.opts(), { args, options: command.opts() });
  });
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const EXIT_CODES = [
  '0 done',
  '2 wrong use',
  '3 not signed in or refused',
  '4 not found',
  '5 nobody has it',
  '6 damaged',
  '7 tracker unreachable',
  '1 anything else',
];

const HELP_AFTER = `
First steps:
  shoal --tracker tracker.example.org:7070 create_user alice     make an account (once)
  shoal login alice                                              sign in; the engine starts in the background
  shoal create_group team                                        or: shoal join_group team
  shoal upload_file dump.sql team                                share a file
  shoal download_file team dump.sql                              get it, on another machine

Exit codes: ${EXIT_CODES.join(', ')}.
A failure is one sentence on stderr; with --json also {"error": {"code", "message", "fields"}} on stdout.`;

/** For tests: every verb there is. */
export const allCommands: readonly CommandSpec[] = TOPICS.flatMap(({ commands }) => commands);
