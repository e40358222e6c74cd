// Contents for files of tests: noise that nothing compresses, the same in every run.
import { SeededChance } from './simulation/seededChance.ts';

/**
 * `sizeBytes` of noise, its own for each name. It begins with a zero byte, by which VS Code knows
 * that it is not a text: noise without one in its first 512 bytes is shown as text, and a question
 * about its "unusual line terminators" may then keep everything else from a person.
 */
export function binary(name: string, sizeBytes: number): Buffer {
  const content = new SeededChance(`content of ${name}`).bytes(sizeBytes);
  content.fill(0, 0, 1);
  return content;
}
