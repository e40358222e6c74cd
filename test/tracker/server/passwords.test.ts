// Passwords and how often they may be tried.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { COST_DEFAULT, Passwords } from '../../../tracker/server/passwords.ts';
import { PASSWORDS_PER_USER, AttemptLimiter } from '../../../tracker/server/attemptLimiter.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';
import { CHEAP } from '../../support/testRealm.ts';

describe('passwords', () => {
  const passwords = new Passwords(new SeededChance(1), CHEAP);

  it('are kept as PHC strings, salted', async () => {
    const [one, two] = await Promise.all([passwords.hash('same words'), passwords.hash('same words')]);
    assert.match(one, /^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.notEqual(one, two);
    assert.deepEqual(await Promise.all(['same words', 'same word', ''].map((text) => passwords.fits(text, one))), [
      true,
      false,
      false,
    ]);
  });
  it('cost what OWASP says, and hashes of another cost still fit', async function () {
    this.timeout(30_000);
    const hash = await new Passwords(new SeededChance(2), COST_DEFAULT).hash('long enough');
    assert.match(hash, /^\$scrypt\$ln=17,r=8,p=1\$/);
    assert.equal(await passwords.fits('long enough', hash), true);
  });
  it('of nobody fit nothing', async () => {
    for (const hash of [undefined, '', 'not a hash', '$scrypt$ln=4,r=8,p=1$$']) {
      assert.equal(await passwords.fits('anything', hash), false);
    }
  });
  it('are told to come back when too many wait, and served when these are done', async () => {
    const all = await Promise.allSettled(Array.from({ length: 70 }, () => passwords.fits('x', undefined)));
    const busy = all.filter((one) => one.status === 'rejected');
    assert.equal(busy.length, 70 - 2 - 64);
    assert.ok(busy.every((one) => isShoalError(one.reason, 'busy')));
    assert.equal(await passwords.fits('x', undefined), false);
  });
});

describe('tries', () => {
  const limited = (run: () => void): number => {
    try {
      run();
      return 0;
    } catch (error) {
      if (isShoalError(error, 'rateLimited')) return Number(error.fields['seconds']);
      throw error;
    }
  };

  it('run out, come back with time, and say when', async () => {
    const clock = new ManualClock();
    const attempts = new AttemptLimiter(clock, PASSWORDS_PER_USER);
    for (let n = 0; n < 10; n++) attempts.take('alice 10.0.0.1', '10.0.0.1');
    assert.equal(
      limited(() => attempts.take('alice 10.0.0.1', '10.0.0.1')),
      6,
    );
    assert.equal(
      limited(() => attempts.take('bob 10.0.0.1', '10.0.0.1')),
      0,
      'only this one is limited',
    );
    await clock.advance(6_000);
    assert.equal(
      limited(() => attempts.take('alice 10.0.0.1', '10.0.0.1')),
      0,
    );
    assert.equal(
      limited(() => attempts.take('alice 10.0.0.1', '10.0.0.1')),
      6,
    );
  });
  it('do not count when they are right, or on this machine', () => {
    const attempts = new AttemptLimiter(new ManualClock(), { depth: 1, perMinute: 1 });
    for (let n = 0; n < 5; n++) {
      attempts.take('a', '10.0.0.1');
      attempts.giveBack('a');
      attempts.take('b', '127.0.0.1');
    }
    attempts.take('a', '10.0.0.1');
    assert.equal(
      limited(() => attempts.take('a', '10.0.0.1')),
      60,
    );
  });
});
