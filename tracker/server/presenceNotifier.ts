// Tells the members of a group that who is online, or who seeds what, has changed: not what, only
// that it is worth asking again. Changes are merged, the more so the larger the group is, so that a
// large group costs no more than a small one.
import type { GroupId } from '../../protocol/base/ids.ts';
import type { Clock, Timer } from '../../protocol/base/world.ts';

/**
 * Least time between two notices of one group, in ms, and what each listener adds to it: some 50
 * notices a second for any one group.
 */
const REST_MS = 1_000;
const REST_MS_PER_LISTENER = 20;

export class PresenceNotifier {
  readonly #clock: Clock;
  /** Tells all members of a group that are here; returns how many. */
  readonly #notify: (group: GroupId) => number;
  /** Groups that were told of lately. `again`: something has changed since. */
  readonly #resting = new Map<GroupId, { timer: Timer; again: boolean }>();

  constructor(clock: Clock, notify: (group: GroupId) => number) {
    this.#clock = clock;
    this.#notify = notify;
  }

  /** A member of this group came, went, or has more or less than before. */
  onChange(group: GroupId): void {
    const resting = this.#resting.get(group);
    if (resting) resting.again = true;
    // what belongs together comes together: a link that closes leaves many swarms
    else this.#rest(group, REST_MS / 4, true);
  }

  stop(): void {
    for (const { timer } of this.#resting.values()) timer.cancel();
    this.#resting.clear();
  }

  #rest(group: GroupId, ms: number, again: boolean): void {
    const timer = this.#clock.after(ms, () => {
      const { again: isDue } = this.#resting.get(group) ?? { again: false };
      this.#resting.delete(group);
      if (isDue) this.#rest(group, REST_MS + REST_MS_PER_LISTENER * this.#notify(group), false);
    });
    this.#resting.set(group, { timer, again });
  }
}
