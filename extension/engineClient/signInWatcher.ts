// Notices that somebody signed in, in another window or on the command line, while this window has
// no engine to tell it. Watches the home's folder, or the one above it while there is none; costs
// nothing while nothing happens.
import fs from 'node:fs';
import path from 'node:path';
import type { Home } from '../../protocol/home/homeLayout.ts';

export class SignInWatcher {
  readonly #home: Home;
  readonly #onChange: () => void;
  #watcher: fs.FSWatcher | undefined;
  #folder = '';

  /** @param onChange  the file that says who is signed in is another one, or may be */
  constructor(home: Home, onChange: () => void) {
    this.#home = home;
    this.#onChange = onChange;
  }

  /** Whether to watch from now on. */
  set isOn(isOn: boolean) {
    if (!isOn) this.dispose();
    else if (!this.#watcher) this.#watch();
  }

  dispose(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #watch(): void {
    const { folder, accountFile } = this.#home;
    this.#folder = fs.existsSync(folder) ? folder : path.dirname(folder);
    try {
      this.#watcher = fs.watch(this.#folder, { persistent: false }, (_, name) => {
        if (this.#folder === folder) return void (name === path.basename(accountFile) && this.#onChange());
        if (name !== path.basename(folder)) return;
        this.dispose(); // the home was made just now
        this.#watch();
        this.#onChange();
      });
      this.#watcher.on('error', () => this.dispose());
    } catch {
      // No such folder either, or a file system that tells nothing: then this window looks when it
      // comes to the front.
    }
  }
}
