// What a disk says, as the person should hear it. Pure.
import { asShoalError, ShoalError, systemCode } from '../../../protocol/base/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'not allowed',
  EPERM: 'not allowed',
  EROFS: 'it is read-only',
  ENOTDIR: 'a part of the path is no folder',
  ENOENT: 'the folder is gone',
  EIO: 'the disk reports an error',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'a part of the path is no folder',
  ELOOP: 'a part of the path is a link',
};

export function diskError(error: unknown, place: string): ShoalError {
  if (error instanceof ShoalError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new ShoalError('diskFull', { path: place }, { cause: error });
  if (code !== undefined) {
    return new ShoalError('destinationUnwritable', { path: place, why: REASONS[code] ?? code }, { cause: error });
  }
  return asShoalError(error);
}
