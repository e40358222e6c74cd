// Every error code there is, found without a list of its own: the rows as they stand in the source.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrorCode } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';

const source = readFileSync(join(import.meta.dirname, '../../../protocol/base/errors.ts'), 'utf8');

export const errorCodes: readonly ErrorCode[] = [...source.matchAll(/^ {2}(\w+): \{\s*retry:/gm)]
  .map(([, code]) => code ?? '')
  .filter(isErrorCode);
assert.ok(errorCodes.length > 60, `${errorCodes.length} codes: the pattern no longer fits the source`);
