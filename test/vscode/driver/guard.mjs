// Leads the process group of one VS Code server: runs the script named by its arguments, and when
// the process that started this one is gone (its end of stdin closes, even after kill -9) ends the
// whole group. Plain JavaScript, because its start is part of every server's.
import { spawn } from 'node:child_process';

const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
process.stdin
  .on('error', () => {})
  .on('close', end)
  .resume();
process.on('SIGTERM', () => {}); // it reaches the child, too, whose end is the end of this one

function end() {
  if (process.platform === 'win32') child.kill();
  else process.kill(-process.pid, 'SIGKILL');
}
