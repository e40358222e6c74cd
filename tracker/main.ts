// The command `shoal-tracker`: serves one tracker, makes realms, asks a running tracker how it is,
// and runs a pair in the background.
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { asShoalError } from '../protocol/base/errors.ts';
import type { ShoalError } from '../protocol/base/errors.ts';
import { VERSION } from '../protocol/node/version.ts';
import { addOperatorCommands } from './admin/commands.ts';
import type { ServeFlags } from './server/serve.ts';
import { folderToServe, serve } from './server/serve.ts';

const program = new Command('shoal-tracker')
  .description(
    'The meeting point of Shoal: keeps accounts, groups and the list of shared files, and who has them now. Files never pass through it.',
  )
  .version(VERSION, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .helpCommand(false)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) })
  .addHelpText(
    'after',
    `
Run it once:   shoal-tracker                       a single tracker in a default folder; prints the URL to give to your people
Try a pair:    shoal-tracker start_pair            two trackers on this computer, in the background
Run a pair:    shoal-tracker init DIR --tracker hostA:7070 --tracker hostB:7070
               then copy DIR/tracker-1 to hostA, DIR/tracker-2 to hostB, and there: shoal-tracker serve FOLDER
Classic:       shoal-tracker tracker_info.txt 1     first line of the file, and "2" for the second, on one machine

Exit codes: 0 ok, 2 wrong use, 3 refused, 4 not found, 7 not reachable, 1 anything else.
A failure is one sentence on stderr; with --json also {"error": {"code", "message", "fields"}} on stdout.`,
  );

program
  .command('serve', { isDefault: true })
  .description('serve one tracker until it is stopped')
  .argument('[FOLDER]', 'folder made by init (tracker-1 or tracker-2), or a tracker_info.txt')
  .argument('[NUMBER]', 'with a tracker_info.txt: which of its lines this tracker is')
  .option('--listen <HOST:PORT>', 'where to listen (default: every address, at the port the realm lists)')
  .option('--log <FILE>', 'write the log there (default: standard error)')
  .addOption(
    new Option('--log-level <LEVEL>', 'how much to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
  )
  .action(async (folder: string | undefined, number: string | undefined, flags: ServeFlags) =>
    serve(await folderToServe(folder, number, flags), flags),
  );

addOperatorCommands(program, fileURLToPath(import.meta.url));

void main();

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else fail(asShoalError(error));
  }
}

function fail(error: ShoalError): void {
  const { code, message, fields, exitCode } = error;
  process.stderr.write(`shoal-tracker: ${message}\n`);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code, message, fields } })}\n`);
  }
  if (process.env['SHOAL_DEBUG']) {
    process.stderr.write(`${error.stack ?? ''}\n${error.cause instanceof Error ? `${error.cause.stack}\n` : ''}`);
  }
  process.exitCode = exitCode;
}
